/** Calls back once, when a prerendered page is really opened; at once on any other page. */
export const whenActive = (callback) => {
  if (document.prerendering) document.addEventListener('prerenderingchange', callback, {once: true});
  else callback();
};
