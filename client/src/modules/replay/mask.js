/** The recorder's rules: what a recording hides of a page, see docs/replay.md. */
import {TEXTS} from './allow.js';

/** Elements whose text is hidden also where a site shows its text: by wish, or because visitors write there. */
export const MASKED =
  '.rr-mask,[data-vt-mask],[contenteditable]:not([contenteditable=false i]),textarea,[role=textbox],[role=searchbox]';
/** Elements that are kept as empty boxes. */
export const BLOCKED = '[data-vt-block],video,audio,object,embed';
export const IGNORED = '[data-vt-ignore]';

const TYPED = /^(?:text|search|email|tel|url|textarea)$/;
const LABELLED = /^(?:submit|button|reset)$/;
const NUMBERED = /^(?:li|progress|meter)$/;
const SVG = 'http://www.w3.org/2000/svg';
const ADDRESS = /[^\s@]+@[^\s@]+/;

/** Returns as many stars as there are letters: lines break where they did. */
export const stars = (text) => text.replace(/\S/g, '*');

/** Says whether letters are typed into an element; passwords that are shown just now are still none. */
const isTyped = (element) => TYPED.test(element?.type) && !element.hasAttribute('data-rr-is-password');

/** Returns what is recorded of what somebody typed or chose: the length where letters are typed, else nothing. */
export const maskInput = (text, element) => (isTyped(element) ? stars(text) : '');

const NOTHING = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='; // one pixel

/** Returns an image of the same size as an element's, which shows nothing; of one pixel while the size is not known. */
const placeholder = ({naturalWidth: width, naturalHeight: height}) =>
  width && height
    ? `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='${width}' height='${height}'/%3E`
    : NOTHING;

/** Returns the style that gives a placeholder the size at which an element is shown. */
export const sizeOf = (element) => {
  const {width, height} = getComputedStyle(element);
  return {width, height};
};

const above = (node) => {
  const root = node.getRootNode();
  return root.host ?? root.defaultView?.frameElement;
};

/** Says whether an element is in a masked one, through shadow roots and frames. */
const isMasked = (node) => {
  for (let at = node?.closest ? node : (node?.parentElement ?? node?.host); at; at = above(at)) {
    if (at.closest(MASKED)) return true;
  }
  return false;
};

/** Returns what is kept of `value`, which means something else on every element. */
const value = (element, text, label) => {
  const {type, localName} = element ?? {};
  if (isTyped(element)) return stars(text);
  if (LABELLED.test(type) && localName === 'input') return label(text);
  return NUMBERED.test(localName) ? text : undefined;
};

/** Returns rules for events of a page whose nodes `getNode` finds by their ids; `show`: its text is not masked. */
export const maskRules = (getNode, show) => {
  const mask = (text, masked) => (show && !masked ? text : stars(text));
  const special = {
    __proto__: null,
    value: (element, text, masked) => value(element, text, (label) => mask(label, masked)),
    // Of what changes, readers of an event know no tag, and take nothing for an image that might run elsewhere.
    src: (element, text, masked, changes) => placeholder(changes || !element ? {} : element),
    checked: () => undefined,
    selected: () => undefined,
  };
  return {
    text: mask,
    attribute(id, name, text, masked, changes) {
      if (text === null) return null;
      if (special[name]) return special[name](getNode(id), String(text), masked, changes);
      if (TEXTS.has(name)) return mask(String(text), masked);
      return (name === 'id' || name === 'class') && ADDRESS.test(text) ? stars(text) : text;
    },
    // What stands in for a picture from elsewhere; one that did not load shows its text, as on the page.
    picture(id) {
      const element = getNode(id);
      const isShown = element?.localName === 'img' && (element.naturalWidth || !element.complete);
      return isShown ? placeholder(element) : undefined;
    },
    input(data) {
      const element = getNode(data.id);
      return isTyped(element) ? {...data, text: stars(data.text), isChecked: false} : null;
    },
    isMasked: (id) => show && Boolean(getNode(id)?.matches?.(MASKED)),
    isMaskedBelow: (id) => show && isMasked(getNode(id)),
    isDrawing: (id) => getNode(id)?.namespaceURI === SVG,
    note() {},
    tagOf(id) {
      const node = getNode(id);
      const name = (node?.localName ?? node?.parentNode?.localName ?? '').toLowerCase();
      return name === 'noscript' || name === 'script' ? 'template' : name;
    },
  };
};
