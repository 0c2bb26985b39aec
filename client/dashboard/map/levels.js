/** How strongly a country is coloured. */
export const LEVELS = 5;

/** Returns 1 to LEVELS for a value up to `most`, 0 for none; by its logarithm, because few countries have nearly all. */
export const levelOf = (value, most) => {
  if (!(value > 0)) return 0;
  if (most <= 1) return LEVELS;
  return Math.min(LEVELS, 1 + Math.floor((Math.log(value) / Math.log(most)) * (LEVELS - 1) + 1e-9));
};

/** Returns [code, value] of what there is, the largest first. */
export const ranked = (values) =>
  Object.entries(values)
    .filter(([, value]) => value > 0)
    .sort(([code, value], [otherCode, other]) => other - value || code.localeCompare(otherCode));
