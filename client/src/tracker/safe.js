/** Returns the function, made to never throw into the page: a page is worth more than its numbers. */
export const safe =
  (work) =>
  (...given) => {
    try {
      return work(...given);
    } catch {
      // nobody is told: strange pages would tell it for every event
    }
  };

/** Listens before the page's own listeners, which may stop an event. */
export const on = (type, work, target = self) => target.addEventListener(type, safe(work), true);
