/** The code that a page of the reader's own needs. */

export const scriptTag = (server) => `<p>Visits: <span data-visitor-count>-</span></p>
<script src="${server}client/visitor-tracker.iife.js" async></script>`;

export const moduleScript = (server) => `<script type="module">
  import {VisitorTracker} from '${server}client/visitor-tracker.js';

  const visit = await new VisitorTracker().updateVisitorCount();
  console.log(visit?.visit_count); // undefined: the server is away; null: counted, the number follows
</script>`;

export const badgeTag = (address) => `<img src="${address.replaceAll('&', '&amp;')}" alt="visits">`;

/** Copies the text of an element, or marks it where the browser lets no page copy; says which on the button. */
export const copy = async (source, button) => {
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = 'Press Ctrl+C';
  }
  setTimeout(() => (button.textContent = 'Copy'), 2000);
};
