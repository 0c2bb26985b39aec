/** Lines of HTML and Markdown to put into other pages. */

const escaped = (text) =>
  text.replace(/[&<>"]/g, (sign) => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'})[sign]);

/** Returns an address of this server with its origin; the server says it whole where it knows its public address. */
export const absolute = (address, origin = location.origin) => new URL(address, origin).href;

/** Returns an iframe; nothing in it asks for more than it shows. */
export const frameOf = (address, title, height, origin = location.origin) =>
  `<iframe src="${escaped(absolute(address, origin))}" title="${escaped(title)}" loading="lazy" ` +
  `style="width: 100%; height: ${Number(height)}px; border: 0"></iframe>`;

/** Returns an image as HTML, within a link where there is one. */
export const imageOf = (address, text, link = '', origin = location.origin) => {
  const image = `<img src="${escaped(absolute(address, origin))}" alt="${escaped(text)}">`;
  return link ? `<a href="${escaped(link)}">${image}</a>` : image;
};

const inMarkdown = (text) => text.replace(/[[\]\\]/g, '\\$&');

/** Returns an image as Markdown. */
export const markdownOf = (address, text, link = '', origin = location.origin) => {
  const image = `![${inMarkdown(text)}](${absolute(address, origin).replaceAll(')', '%29')})`;
  return link ? `[${image}](${link.replaceAll(')', '%29')})` : image;
};

/** Returns a query of what is not empty and not as usual. */
export const queryOf = (values, usual = {}) => {
  const kept = Object.entries(values).filter(([name, value]) => String(value) !== String(usual[name] ?? ''));
  const text = new URLSearchParams(kept).toString();
  return text && `?${text}`;
};
