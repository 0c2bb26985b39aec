/** What pages may call: `analytics(name, data)`, and the class VisitorTracker, whose counter is loaded when it is used. */
import {load} from './settings.js';
import {optOut} from './storage.js';
import {tracker} from './tracker.js';

export const track = (name, properties) => tracker.add('custom', {name, properties});

/** Both globals are this function: called it tracks, and `new` makes a counter. */
export function VisitorTracker(...given) {
  if (new.target) this.given = given;
  else track(...given);
}

const api = {track, identify: (id, properties) => tracker.add('identify', {user_id: id, properties}), optOut, tracker};

for (const name of ['sendGetRequest', 'updateVisitorCount', 'getVisitorCount']) {
  api[name] = function (...given) {
    return load('visitor-tracker.js', (module) => new module.VisitorTracker(...this.given)[name](...given));
  };
}

Object.assign(VisitorTracker, (VisitorTracker.prototype = api));
