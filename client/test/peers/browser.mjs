/** As much of a browser as trackers for browsers ask for; what they send goes out with Node's fetch. */

/* global document, location */

const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const answers = [];
const network = globalThis.fetch;

const send = (url, {headers, ...options}) => {
  const {origin} = new URL(location.href);
  const sent = {...headers, 'User-Agent': USER_AGENT, Origin: origin, Referer: `${origin}/`};
  const answer = network(url, {...options, headers: sent}).then(async (response) => {
    const body = await response.text();
    return {status: response.status, tracker: response.headers.get('x-tracker'), body};
  });
  answers.push(answer);
  return answer;
};

class Request extends EventTarget {
  _headers = {};
  readyState = 0;

  open(method, url) {
    this._method = method;
    this._url = url;
  }

  setRequestHeader(name, value) {
    this._headers[name] = value;
  }

  async send(body) {
    const answer = await send(this._url, {method: this._method, headers: this._headers, body});
    this.status = answer.status;
    this.responseText = answer.body;
    this.readyState = 4;
    this.onreadystatechange?.();
    this.dispatchEvent(new Event('load'));
  }
}

const define = (name, value) =>
  Object.defineProperty(globalThis, name, {value, configurable: true, writable: true, enumerable: true});

/** Makes this process a page that a browser shows. */
export const show = (href) => {
  const page = new EventTarget();
  const tall = {scrollHeight: 2000, offsetHeight: 2000, clientHeight: 2000};
  Object.assign(page, {referrer: 'https://search.example/', title: 'Page', visibilityState: 'visible', body: tall});
  Object.assign(page, {documentElement: tall, hasFocus: () => page.visibilityState === 'visible'});
  page.querySelector = () => null;
  define('window', globalThis);
  define('document', page);
  define('location', new URL(href));
  define('history', {pushState: (state, title, url) => define('location', new URL(url, location.href))});
  define('navigator', {userAgent: USER_AGENT, language: 'en-GB', webdriver: false});
  define('screen', {width: 1920, height: 1080, colorDepth: 24});
  define('localStorage', {});
  define(
    'ResizeObserver',
    class {
      observe() {}
    },
  );
  define('XMLHttpRequest', Request);
  define('fetch', send);
  const events = new EventTarget();
  for (const name of ['addEventListener', 'removeEventListener']) define(name, events[name].bind(events));
  Object.assign(globalThis, {innerWidth: 1440, innerHeight: 900, outerWidth: 1440, outerHeight: 960, scrollY: 100});
};

/** Lets the user turn to another page. */
export const hide = () => {
  document.visibilityState = 'hidden';
  document.dispatchEvent(new Event('visibilitychange'));
};

/** Resolves to the answers to all that was sent, once they are `count`. */
export const received = async (count) => {
  while (answers.length < count) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Promise.all(answers);
};

/** Tells the test what was answered. */
export const report = (found) => process.stdout.write(JSON.stringify(found));
