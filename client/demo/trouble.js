/** Says what went wrong, and what to do about it. */
import {count} from './format.js';

const seconds = (value) => `${count(value)} ${value === 1 ? 'second' : 'seconds'}`;

const ADVICE = {
  0: () => ['The server does not answer', 'Is it still running? Start it with “make run”, then try again.'],
  400: () => ['This is not a page address', 'Write it whole, such as https://example.com/about.'],
  403: ({hint}) => ['This web site may not count here', hint || 'Add its origin to cors.origins.'],
  429: ({retryAfter}) => [
    'Too many visits from your address',
    `The server takes more in ${seconds(retryAfter || 1)}. Its rate_limit settings say how many it takes.`,
  ],
  503: ({retryAfter}) => [
    'The visit could not be stored',
    `Its journal takes nothing: is the disk full? “visitor-tracker check” says more. Try again in ${seconds(retryAfter || 2)}.`,
  ],
};

/** Returns [title, advice] for a request that failed. */
export const explain = (exchange) => {
  const advice = ADVICE[exchange.status];
  if (advice) return advice(exchange);
  const {status, message, hint} = exchange;
  return [`The server answered ${status}`, [message, hint].filter(Boolean).join(': ') || 'Its log says why.'];
};
