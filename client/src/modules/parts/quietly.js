/** Returns a listener that throws nothing into the page. */
export const quietly =
  (listener) =>
  (...given) => {
    try {
      listener(...given);
    } catch {
      // What is in the page's way is the page's: it loses an event, not its work.
    }
  };
