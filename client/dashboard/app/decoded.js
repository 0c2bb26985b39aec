/** Returns a part of an address as text; a % that begins nothing is one: an address that was cut is no reason to show nothing. */
export const decoded = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};
