/** What the pages about recordings share: asking the server, and saying how it went. */

export const find = (id) => document.getElementById(id);

const ADVICE = {
  0: ['The server does not answer', 'Is it running? Its log says why it stopped.'],
  401: ['Recordings are for readers only', 'Open this page on the server itself, as localhost, or with a token.'],
  403: ['Recordings are for readers only', 'Open this page on the server itself, as localhost, or with a token.'],
  404: ['There is no such recording', 'It may be older than replay.keep_days, or the site does not record.'],
  503: ['The database is away', 'Recordings are in it. Try again when it is back.'],
};

/** A request that did not give what was asked for; `status` 0: no answer. */
export class Trouble extends Error {
  constructor(status, message = '') {
    super(message);
    this.status = status;
  }
}

/** Resolves to the JSON at a path of this server; rejects with a Trouble. */
export const read = async (path) => {
  let answer;
  try {
    answer = await fetch(path, {headers: {Accept: 'application/json'}});
  } catch {
    throw new Trouble(0);
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null) throw new Trouble(answer.status, body?.error?.message);
  return body;
};

/** Shows a state instead of the content; `retry` is offered where it may help. */
export const showState = (title, advice = '', retry = null) => {
  find('state').hidden = false;
  find('state-title').textContent = title;
  find('state-advice').textContent = advice;
  find('state-buttons').hidden = !retry;
  find('again').onclick = retry;
};

export const hideState = () => {
  find('state').hidden = true;
};

/** Shows what went wrong; whatever is no Trouble comes from a recording that cannot be read. */
export const showTrouble = (error, retry) => {
  if (!(error instanceof Trouble)) {
    showState('This recording cannot be played', 'It is damaged, or made by another program.');
    return;
  }
  const [title, advice] = ADVICE[error.status] ?? [`The server answered ${error.status}`, error.message];
  showState(title, advice, error.status === 404 ? null : retry);
};

const two = (number) => String(number).padStart(2, '0');

/** Returns such as "1:05" for a number of milliseconds. */
export const clock = (milliseconds) => {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
};

const PLACES = {LOCAL: 'Local network', XX: ''}; // what no standard has

const country = (code) => {
  if (Object.hasOwn(PLACES, code)) return PLACES[code];
  try {
    return new Intl.DisplayNames('en', {type: 'region'}).of(code);
  } catch {
    return code;
  }
};

/** Returns a session's visitor in words: "Germany · Firefox 140 · Windows 11 · desktop". */
export const who = (session) =>
  [session.country && country(session.country), session.browser, session.os, session.device]
    .filter((part) => part && part !== 'unknown')
    .join(' · ');

/** Returns a page's address without what goes without saying. */
export const shortUrl = (url) => String(url ?? '').replace(/^https?:\/\//, '');
