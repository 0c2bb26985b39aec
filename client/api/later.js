/** Shows parts of a long page when they come near the view, and the others when the browser has nothing to do. */

const MARGIN = '800px'; // how far from the view is near
const LEFT_MS = 8; // of idle time, below which no further part is begun

const waiting = new Map(); // of elements to what shows them

const show = (element) => {
  const now = waiting.get(element);
  waiting.delete(element);
  near.unobserve(element);
  now?.();
};

const near = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => show(entry.target)),
  {rootMargin: MARGIN},
);

// Safari has no idle callbacks.
const whenIdle = globalThis.requestIdleCallback ?? ((call) => setTimeout(call, 50, {timeRemaining: () => LEFT_MS}));

const showOne = (idle) => {
  const [first] = waiting.keys();
  if (first && idle.timeRemaining() >= LEFT_MS) show(first);
  if (waiting.size) whenIdle(showOne);
};

const wait = (element, now) => {
  if (!waiting.size) whenIdle(showOne);
  waiting.set(element, now);
  near.observe(element);
  return () => {
    waiting.delete(element);
    near.unobserve(element);
  };
};

/** Makes, with a page's own React, a part that has room until what it is of is shown. */
export const later = (React, what, properties) => React.createElement(Later, {React, what, properties});

const Later = ({React, what, properties}) => {
  const [isShown, setShown] = React.useState(false);
  const room = React.useRef(null);
  React.useEffect(() => wait(room.current, () => setShown(true)), []);
  return isShown ? React.createElement(what, properties) : React.createElement('div', {ref: room, className: 'room'});
};
