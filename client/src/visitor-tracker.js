import {baseUrl} from './base-url.js';
import {send} from './transport.js';
import {visitId} from './visit-id.js';

const RETRIES_OF_VISITS = 2;
const RETRIES_OF_READS = 1;

const here = baseUrl(() => import.meta.url);
const thisPage = () => globalThis.location?.href;
const withoutFragment = (url) => String(url).split('#')[0]; // names no other page, and may hold secrets

/** Runs `work`; whatever goes wrong in it becomes null. */
const quietly = async (work) => {
  try {
    return await work();
  } catch {
    return null;
  }
};

/** Counts visits of pages; every promise resolves to the server's JSON, or to null when anything went wrong. */
export class VisitorTracker {
  constructor(apiBaseUrl = here, fetchOptions = {}) {
    this.apiBaseUrl = apiBaseUrl;
    this.fetchOptions = fetchOptions;
  }

  /** Sends one GET request. */
  sendGetRequest(endpoint, params) {
    return quietly(async () => (await this._get(endpoint, params, 0))._json);
  }

  /** Counts a visit of the page once, also when its request has to be repeated. */
  updateVisitorCount(pageUrl = thisPage()) {
    return quietly(async () => {
      const url = withoutFragment(pageUrl);
      if (!/^https?:/i.test(url)) return null; // never sends the name of somebody's local file
      const body = JSON.stringify({url, id: visitId()});
      const posted = await this._post('/api/v1/visits', body, RETRIES_OF_VISITS);
      // Servers that know /update only say so by their status, or answer anything with {}.
      const unknown = [404, 405, 501].includes(posted._status) || (posted._json && !posted._json.page_url);
      return (unknown ? await this._get('/update', {url}, 0, {keepalive: true}) : posted)._json;
    });
  }

  /** Reads the count of the page, or the list of all pages when it is null. */
  getVisitorCount(pageUrl = null) {
    return quietly(async () => {
      const params = pageUrl === null ? {} : {url: withoutFragment(pageUrl)};
      return (await this._get('/count', params, RETRIES_OF_READS))._json;
    });
  }

  /** Returns the address of an image that shows the count of the page. */
  badgeUrl(pageUrl = thisPage()) {
    return this._url('/badge.svg', {url: withoutFragment(pageUrl)});
  }

  _get(endpoint, params, retries, options) {
    return send(
      this._url(endpoint, params),
      {...this.fetchOptions, ...options, method: 'GET', body: undefined},
      retries,
    );
  }

  _post(endpoint, body, retries) {
    return send(this._url(endpoint), {...this.fetchOptions, method: 'POST', body, keepalive: true}, retries);
  }

  _url(endpoint, params) {
    const query = String(new URLSearchParams(params));
    const path = `${endpoint}`.replace(/^\/*/, '/');
    return `${this.apiBaseUrl}`.replace(/\/+$/, '') + path + (query && `?${query}`);
  }
}
