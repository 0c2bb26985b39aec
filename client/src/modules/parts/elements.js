/** Reads elements by the browser's own means: <form><input name="id"> hides form.id, and most else of a form. */

/** Returns a property as `type` has it, whatever the page gave that name to. */
export const own = (node, name, type = Element) => Reflect.get(type.prototype, name, node);

export const attribute = (element, name) => Element.prototype.getAttribute.call(element, name);

export const fits = (element, selector) => Element.prototype.matches.call(element, selector);

/** Returns the elements that an event came through, the innermost first; also of an event that is long over. */
export const pathOf = (event) => {
  const path = event.composedPath();
  // An event that is over has no path, and one that came out of a shadow tree no target either.
  for (let node = path.length ? null : event.target; node; node = own(node, 'parentNode', Node) || node.host) {
    path.push(node);
  }
  return path.filter((node) => node instanceof Element);
};

/** Returns where a link leads as a URL; those in drawings (SVG) too. Throws where it leads nowhere. */
export const addressOf = (link) => new URL(link.href.baseVal ?? link.href, link.baseURI);

export const LINKS = 'a[*|href],area[href]';
