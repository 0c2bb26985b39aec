/** Days before other days. */
const DAY_MS = 86_400_000;
const msOf = (day) => Date.parse(`${day}T00:00:00Z`);
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);

/** Returns as many days as FROM..TO has, right before it, as a period. */
export const before = (from, to) => {
  const days = Math.round((msOf(to) - msOf(from)) / DAY_MS) + 1;
  return `${dayOf(msOf(from) - days * DAY_MS)}..${dayOf(msOf(from) - DAY_MS)}`;
};
