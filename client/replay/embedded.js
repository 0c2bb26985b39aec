/** The player inside of a page of this server: the page has the list of events, and says which of them to show. */

export const isEmbedded = new URLSearchParams(location.search).get('embed') === '1' && parent !== window;
if (isEmbedded) document.documentElement.classList.add('embedded');

const tell = (message) => parent.postMessage(message, location.origin);

/** Returns whether a message comes from the page around this one, which must be the server's own. */
const isParents = ({source, origin}) => source === parent && origin === location.origin;

/** Tells the page around when the events are in the recording, and where it is; goes where that page says. */
export const serveParent = (player, events) => {
  const offsets = Object.fromEntries(events.map(({event, offset}) => [event.id, offset]));
  addEventListener('message', (message) => {
    if (!isParents(message)) return;
    const {seek, toggle} = message.data ?? {};
    if (Object.hasOwn(offsets, seek)) {
      player.goto(offsets[seek]);
      tell({replay: 'at', at: offsets[seek]}); // one that stands still does not say so itself
    }
    if (toggle) player.toggle();
  });
  player.addEventListener('ui-update-current-time', ({payload}) => tell({replay: 'at', at: payload}));
  new ResizeObserver(() => tell({replay: 'size', height: document.body.scrollHeight})).observe(document.body);
  tell({replay: 'ready', offsets});
};
