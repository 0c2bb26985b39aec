/** Says in the console what is counted, or why nothing is: for who puts the script into a page (`data-debug`, `?explain`). */
import {quietly} from './parts/quietly.js';

const say = quietly((what) => self.console.info('visitor-tracker:', what));

export const start = (tracker) => {
  if (tracker.isOff) return say('not counted here without data-allow-localhost or data-allow-file-protocol');
  const {early, seen} = tracker;
  const see = (what) => what instanceof Event || say(what);
  early.forEach(see);
  tracker.seen = {
    push(what) {
      see(what);
      seen.push(what);
    },
  };
};
