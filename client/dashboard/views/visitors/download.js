/** Gives somebody a file. */

/** Keeps a text as a file of that name in the browser's downloads. */
export const keepFile = (name, text, type = 'application/json') => {
  const address = URL.createObjectURL(new Blob([text], {type}));
  const link = Object.assign(document.createElement('a'), {href: address, download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
};
