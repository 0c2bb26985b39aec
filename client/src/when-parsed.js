/** Calls back once, when every element of the page's source exists. */
export const whenParsed = (callback) => {
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', callback, {once: true});
  else callback();
};
