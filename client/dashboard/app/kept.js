/** What this browser remembers; in a frame of another web site many browsers refuse, and then it is forgotten. */

export const remembered = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

export const remember = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    // it holds until the page is left
  }
};
