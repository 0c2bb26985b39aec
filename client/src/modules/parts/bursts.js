/** Tells clicks that somebody makes out of anger: several at one place in no time. */

const LEAST = 3;
const WITHIN_MS = 1000;
const WITHIN_PX = 30;

/** Returns a function of a click's {at, x, y} that says whether it makes a burst; the clicks after it belong to it. */
export const burstWatch = () => {
  let recent = [];
  return (click) => {
    recent = recent.filter((other) => click.at - other.at < WITHIN_MS);
    const near = recent.filter((other) => Math.hypot(click.x - other.x, click.y - other.y) <= WITHIN_PX);
    const known = near.some((other) => other.inBurst);
    const inBurst = known || near.length + 1 >= LEAST;
    recent.push({...click, inBurst});
    return inBurst && !known;
  };
};
