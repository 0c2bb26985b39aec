/** Watches what the client sends and what comes back. */

/** Returns what the server says is wrong, as far as it says so in its own form. */
const complaint = async (response) => {
  if (response.ok) return {};
  try {
    return (await response.json()).error ?? {};
  } catch {
    return {};
  }
};

/**
 * Calls `report` after each request of this page with
 * {method, path, status (0: no answer), tracker, retryAfter (seconds), message, hint, milliseconds}.
 */
export const watchRequests = (report) => {
  const {fetch} = globalThis;
  globalThis.fetch = async (url, options = {}) => {
    const {pathname, search} = new URL(url, location.href);
    const exchange = {method: options.method ?? 'GET', path: pathname + search, status: 0};
    const started = performance.now();
    try {
      const response = await fetch(url, options);
      exchange.milliseconds = performance.now() - started;
      const {message, hint} = await complaint(response.clone());
      const tracker = response.headers.get('X-Tracker');
      const retryAfter = Number(response.headers.get('Retry-After'));
      Object.assign(exchange, {status: response.status, tracker, retryAfter, message, hint});
      return response;
    } finally {
      exchange.milliseconds ??= performance.now() - started;
      report(exchange);
    }
  };
};
