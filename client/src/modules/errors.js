/** Tells of errors that the page's scripts do not handle: each once a page, and not too many. */
import {quietly} from './parts/quietly.js';
import {framesOf, ofExtension, placeOf, writeStack} from './parts/stack.js';

const ERRORS_MOST = 10; // of a page
const MESSAGE_MOST = 512; // the server keeps less, and cleans it before it cuts
const STACK_MOST = 512;

const textOf = (value) => (typeof value === 'string' ? value : '');

/** Returns what an error calls itself, "" for other things that were thrown. */
const titleOf = (thrown) => {
  const name = textOf(thrown?.name);
  const message = textOf(thrown?.message);
  return message.startsWith(name) ? message : [name, message].filter(Boolean).join(': ');
};

/** Returns the words for what was thrown, which may be anything; `told` are the browser's. */
const messageOf = (thrown, told) =>
  titleOf(thrown) || told || (Object(thrown) === thrown ? 'an object was thrown' : String(thrown));

/** Returns where it happened: by the event, or by the innermost frame. */
const whereOf = ({filename, lineno, colno}, frame) =>
  filename
    ? {url: filename, line: lineno, column: colno}
    : {url: frame?.url ?? '', line: +frame?.line, column: +frame?.column};

const read = (event) => {
  const thrown = event.type === 'error' ? event.error : event.reason;
  const told = textOf(event.message).replace(/^Uncaught /, '');
  const frames = framesOf(textOf(thrown?.stack), textOf(thrown?.message));
  const {url, line, column} = whereOf(event, frames[0]);
  return {
    message: messageOf(thrown, told).slice(0, MESSAGE_MOST),
    source: placeOf(url, location.origin),
    line,
    column,
    stack: writeStack(frames, location.origin, STACK_MOST),
    isForeign: ofExtension(url) || ofExtension(frames[0]?.url ?? ''),
  };
};

export const start = (tracker) => {
  const known = new Set();
  const listen = quietly((event) => {
    if (known.size >= ERRORS_MOST) return; // pages that fail all the time have enough to do
    const {message, isForeign, ...where} = read(event);
    const key = JSON.stringify([message, where.source, where.line, where.column]);
    if (isForeign || known.has(key)) return;
    known.add(key);
    const properties = Object.create(null);
    for (const [name, value] of Object.entries(where)) if (value) properties[name] = value;
    tracker.add('error', {name: message, properties, interactive: false});
  });
  tracker.onPage.push(() => known.clear());
  addEventListener('error', listen);
  addEventListener('unhandledrejection', listen);
  if (Array.isArray(self.earlyErrors)) self.earlyErrors.splice(0).forEach(listen); // what the page itself has kept
  self.earlyErrors = {push() {}};
};
