/** The cells that pages are cut into, so that clicks and heat of one place meet: x in hundredths of the width, y in 20 px. */
const ROW_PX = 20;
const ROWS = 5000;
export const COLUMNS = 100;

export const rowOf = (y) => Math.max(0, Math.min(ROWS - 1, Math.floor(y / ROW_PX)));

export const columnOf = (x) => {
  const width = document.documentElement.scrollWidth || 1;
  return Math.max(0, Math.min(COLUMNS - 1, Math.floor((x / width) * COLUMNS)));
};
