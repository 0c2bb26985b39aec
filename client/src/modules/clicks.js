/** Tells what is clicked, and the clicks that nothing came of: rage clicks, dead clicks. */
import {burstWatch} from './parts/bursts.js';
import {columnOf, rowOf} from './parts/cells.js';
import {watchChanges} from './parts/changes.js';
import {addressOf as resolved, attribute, fits, LINKS, own, pathOf} from './parts/elements.js';
import {quietly} from './parts/quietly.js';

const DEAD_MS = 1000; // without any change
const ONE_CLICK_MS = 25; // the browser clicks what a label is for in the same moment
const NAME_MOST = 64;
const VALUE_MOST = 128;
const WAITING_MOST = 20; // clicks that nobody knows of yet whether they are dead

const BUTTONS = 'button,summary,[role=button],[role=link],[role=tab],[role^=menuitem]';
const FIELDS = 'input,select,textarea,option,label';
const PUSHED = 'input[type=button],input[type=submit],input[type=reset],input[type=image]';
const EDITED = '[contenteditable]:not([contenteditable=false]),input,select,textarea';
const PAINTED = 'canvas,video,audio,iframe,embed,object'; // change without a trace in the document

/** Returns what one clicked at rather than the picture in it. */
const actorOf = (path) => path.find((element) => fits(element, `${LINKS},${BUTTONS},${FIELDS}`)) ?? path[0];

/** Returns the words on a button or link; never what somebody typed. */
const nameOf = (element, path) => {
  if (
    !element ||
    path.some((each) => each.isContentEditable === true || fits(each, EDITED)) ||
    holds(element, EDITED)
  ) {
    return '';
  }
  const text = element.innerText ?? element.textContent ?? '';
  return (text.trim() || attribute(element, 'aria-label') || '').replace(/\s+/g, ' ').slice(0, NAME_MOST);
};

const holds = (element, selector) => Element.prototype.querySelector.call(element, selector) !== null;

const addressOf = (link) => {
  try {
    return resolved(link);
  } catch {
    return new URL('about:invalid');
  }
};

const targetOf = (link) => {
  const url = addressOf(link);
  url.hash = '';
  return /^http/.test(url.protocol) ? url.href : '';
};

/** Says whether a click opens something elsewhere, of which this page sees nothing. */
const leads = (link, event) => {
  const url = addressOf(link);
  const isHere = url.href.split('#')[0] === location.href.split('#')[0] && !attribute(link, 'target');
  return !(isHere || url.protocol === 'javascript:') || event.ctrlKey || event.metaKey || event.shiftKey;
};

/** Says whether one may expect that a click here does something, and it can be seen whether it does. */
const isJudged = (path, actor, link, event) => {
  if (link && leads(link, event)) return false;
  if (path.some((each) => own(each, 'shadowRoot') || own(each, 'localName').includes('-') || fits(each, PAINTED))) {
    return false;
  }
  if (fits(actor, FIELDS)) return fits(actor, PUSHED);
  return fits(actor, `${LINKS},${BUTTONS},[onclick]`) || getComputedStyle(actor).cursor === 'pointer';
};

const propertiesOf = (event, actor) => {
  const found = Object.assign(Object.create(null), {tag: own(actor, 'localName')});
  for (const name of ['id', 'class']) {
    const value = attribute(actor, name);
    if (value) found[name] = value.slice(0, VALUE_MOST);
  }
  if (!event.detail) return found; // a click by the keyboard has no place
  return Object.assign(found, {
    x: Math.round(event.clientX),
    y: Math.round(event.clientY),
    column: columnOf(event.pageX),
    row: rowOf(event.pageY),
  });
};

/** Returns what is to be told of a click, and whether it may turn out to be dead. */
const read = (event, path) => {
  const actor = actorOf(path);
  const link = path.find((element) => fits(element, LINKS));
  const named = path.find((element) => fits(element, `${LINKS},${BUTTONS}`));
  return {
    name: nameOf(named, path),
    target: link ? targetOf(link) : '',
    properties: propertiesOf(event, actor),
    isJudged: isJudged(path, actor, link, event),
  };
};

/** Adds each click a second later, or when the page is left, once it is known what became of it. */
const clickWatch = (tracker) => {
  const waiting = new Set();
  const makesBurst = burstWatch();
  let last = -ONE_CLICK_MS;

  const isRage = ({timeStamp: at, clientX: x, clientY: y}, isJudged) =>
    // Three clicks also select a paragraph.
    makesBurst({at, x, y}) && (isJudged || getSelection()?.type !== 'Range');

  const end = (click, isOver) => {
    if (!waiting.delete(click)) return;
    clearTimeout(click.timer);
    if (click.stop?.() === false && isOver) click.fields.properties.dead = true;
    tracker.add('click', click.fields);
  };

  const begin = (event) => {
    if (!event.isTrusted || event.timeStamp - last < ONE_CLICK_MS) return;
    last = event.timeStamp;
    const {isJudged, ...fields} = read(event, pathOf(event));
    if (isRage(event, isJudged)) fields.properties.rage = true;
    const click = {
      // Of the page and the moment in which it was made.
      fields: {...fields, url: tracker.page(), t: Date.now()},
      stop: isJudged && waiting.size < WAITING_MOST ? watchChanges() : null,
      timer: setTimeout(
        quietly(() => end(click, true)),
        DEAD_MS,
      ),
    };
    waiting.add(click);
  };

  return {begin: quietly(begin), endAll: () => waiting.forEach((click) => end(click, false))};
};

export const start = (tracker) => {
  const {begin, endAll} = clickWatch(tracker);
  addEventListener('click', begin, true);
  tracker.onLeave.push(endAll);
};
