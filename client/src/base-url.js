/** Finds the server's address. */

/** Returns the address of the server whose /client/ folder holds the script that `source` returns, or the default. */
export const baseUrl = (source) => {
  try {
    const url = new URL('..', source());
    if (/^https?:/.test(url)) return url.href;
  } catch {
    // no URL at all: an inline script, or a program without a page
  }
  return 'http://localhost:8000';
};
