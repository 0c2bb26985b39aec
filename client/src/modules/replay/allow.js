/** What elements and attributes a recording may have: what pages need to look as they did, and nothing that acts. */
import {cleanCss} from './css.js';

const words = (text) => new Set(text.split(' '));

/** Become an empty <template>: they run, load, lead elsewhere, or change how all other addresses are read. */
const FORBIDDEN = words('script noscript base object embed applet frame frameset portal fencedframe param');
const NAME = /^[a-z][\w.:-]*$/i;

const PLAIN = words(
  'align bgcolor border cellpadding cellspacing checked class clear color cols colspan compact contenteditable ' +
    'controls dir disabled exportparts face frame headers height hidden high id inert is label lang low max media ' +
    'min multiple noshade nowrap open optimum part placeholder popover readonly reversed role rows rowspan rules ' +
    'scope selected size slot span start step title alt type valign value width wrap xmlns',
);
const RECORDED = /^rr_(?:width|height|scrollLeft|scrollTop|open_mode)$/;
const STATES = words(
  'expanded hidden selected current pressed disabled busy modal haspopup orientation sort level invalid required ' +
    'readonly multiline multiselectable',
);
const DATA =
  /^data-(?:(?:bs-)?theme|color-(?:scheme|mode)|mode|state|side|align|orientation|open|closed|active|selected|expanded|collapsed|disabled|hidden|visible|show|position|placement|variant|size|layout|direction|level)$/;
const WORD = /^[a-z0-9_-]{0,20}$/i;
/** Texts that people read or hear. */
export const TEXTS = words(
  'title alt placeholder label aria-label aria-description aria-roledescription aria-valuetext aria-placeholder',
);
const SHOWN_META = words('color-scheme viewport');
const FRAGMENT = /^#[\w.:-]{1,64}$/;

/** Returns the tag under which an element is kept. */
export const allowedTag = (tag) => (NAME.test(tag) && !FORBIDDEN.has(tag.toLowerCase()) ? tag : 'template');

const style = (value) =>
  typeof value === 'object' && value
    ? Object.fromEntries(
        Object.entries(value).map(([name, part]) => [
          name,
          Array.isArray(part) ? [cleanCss(part[0]), String(part[1])] : part && cleanCss(part),
        ]),
      )
    : cleanCss(value);

/** Attributes whose value decides, by name: each returns what is kept, undefined for nothing. */
const SPECIAL = new Map([
  ['style', style],
  ['_cssText', cleanCss],
  // Links look like links; where they lead is nobody's business. Parts of a drawing name each other so.
  ['href', (value) => (FRAGMENT.test(value) ? value : '#')],
  ['xlink:href', (value) => (FRAGMENT.test(value) ? value : undefined)],
  ['src', (value) => (/^data:image\//i.test(value) ? value : undefined)],
]);

const drawing = (name, value) => {
  if (!/^[a-z][a-z0-9-]*$/i.test(name) || /^on|src|href/i.test(name)) return undefined;
  if (/^attributename$/i.test(name) && /href|src|^on/i.test(value)) return undefined; // of an animation
  return typeof value === 'string' && /url\(/i.test(value) ? cleanCss(value) : value;
};

const ofData = (name, value) => (DATA.test(name) && WORD.test(value) ? value : '');
const ofState = (name, value) => (STATES.has(name.slice(5)) && WORD.test(value) ? value : undefined);

const named = (name, value, isDrawing) => {
  if (name.startsWith('data-')) return ofData(name, value);
  if (name.startsWith('aria-')) return ofState(name, value);
  if (PLAIN.has(name.toLowerCase()) || RECORDED.test(name)) return value;
  return isDrawing ? drawing(name, value) : undefined;
};

/** Returns what is kept of an attribute's value, undefined for nothing; null, that it was removed, stays null. */
export const allowedAttribute = (name, value, isDrawing = false) => {
  if (value === null || TEXTS.has(name)) return value;
  const special = SPECIAL.get(name);
  return special ? special(value) : named(name, value, isDrawing);
};

const metaAttributes = ({name, content}) => (SHOWN_META.has(name) ? {name, content: String(content)} : {});

const linkAttributes = ({_cssText, media}) => (_cssText ? {_cssText, ...(media && {media})} : {});

const OF_TAGS = new Map([
  ['template', () => ({})],
  ['meta', metaAttributes],
  ['link', linkAttributes],
]);

/** Returns the attributes that are looked at: of elements that load or act by theirs, only those that show. */
export const attributesOf = (tag, attributes) => (OF_TAGS.get(tag.toLowerCase()) ?? ((all) => all))(attributes);
