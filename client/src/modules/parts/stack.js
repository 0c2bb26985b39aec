/** Writes an error's stack as `name (place:line:column) | …`, whatever browser it is from. */

const LINES_MOST = 30;
const LINE_MOST = 1000; // characters
const V8 = /^\s+at (?:(.+?) \()?(.*?)(?::(\d+))?(?::(\d+))?\)?$/;
const OTHER = /^([^@]*)@(.*?)(?::(\d+))?(?::(\d+))?$/;
const EXTENSION = /^(?:[a-z]+(?:-[a-z]+)*-extension|webkit-masked-url|user-script):/i;

export const ofExtension = (place) => EXTENSION.test(place);

/** Returns a script's address without what may be secret, and short: a file of `origin` is its path. */
export const placeOf = (url, origin) => {
  if (url === '[native code]') return 'native';
  const plain = url.split(/[?#\s]/)[0].replace(/\/\/[^/]*@/, '//');
  if (!/^https?:/.test(plain)) return /^[a-z-]+:/i.exec(plain)?.[0] ?? plain;
  return plain.startsWith(`${origin}/`) ? plain.slice(origin.length) : plain;
};

/** Returns the length of the message that Chromium writes before the frames: it may look like anything. */
const titleLength = (stack, message) => {
  const at = stack.indexOf(message);
  return at >= 0 && /^[\w$.]*(: )?$/.test(stack.slice(0, at)) ? at + message.length : 0;
};

/** Returns the frames {name, url, line, column} of a stack, innermost first. */
export const framesOf = (stack, message) => {
  const begin = titleLength(stack, message);
  const lines = stack.slice(begin, begin + LINES_MOST * LINE_MOST).split('\n', LINES_MOST);
  const isV8 = lines.some((line) => /^\s+at /.test(line));
  return lines
    .map((line) => (isV8 ? V8 : OTHER).exec(line.slice(0, LINE_MOST)))
    .filter(Boolean)
    .map(([, name, url, line, column]) => ({name: name || '?', url, line, column}));
};

/** Returns the innermost frames that fit into so many characters. */
export const writeStack = (frames, origin, most) => {
  let text = '';
  for (const {name, url, line, column} of frames) {
    const place = [placeOf(url, origin), line, column].filter(Boolean).join(':');
    const longer = `${text}${text && ' | '}${name} (${place})`;
    if (longer.length > most) break;
    text = longer;
  }
  return text;
};
