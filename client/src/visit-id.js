/** Makes the ids that let a server count a repeated request once. */

const hex = (value, digits) => value.toString(16).padStart(digits, '0');

/** Returns 16 bytes as hex: 6 of the time, so that the server's index grows at its end, and 10 random ones. */
export const visitId = () =>
  hex(Date.now(), 12) + Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => hex(byte, 2)).join('');
