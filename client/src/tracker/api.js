/** What pages may call: `analytics(name, data)`, and the class VisitorTracker, whose counter is loaded when it is used. */
import {safe} from './safe.js';
import {base} from './settings.js';
import {optOut} from './storage.js';
import {tracker} from './tracker.js';

const track = (name, properties) => tracker.add('custom', {name, properties});

/** Both globals are this function: called it tracks, and `new` makes a counter. */
function VisitorTracker(...given) {
  if (new.target) this.given = given;
  else track(...given);
}

const api = {track, identify: (id, properties) => tracker.add('identify', {user_id: id, properties}), optOut, tracker};

for (const name of ['sendGetRequest', 'updateVisitorCount', 'getVisitorCount']) {
  api[name] = function (...given) {
    return import(`${base}client/visitor-tracker.js`)
      .then((module) => new module.VisitorTracker(...this.given)[name](...given))
      .catch(() => null);
  };
}

VisitorTracker.prototype = api;
const early = self.analytics;

/** Sets the globals. */
export const publish = () => {
  self.VisitorTracker = Object.assign(VisitorTracker, api);
  if (!early || early.q) self.analytics = VisitorTracker;
};

/** Does what was asked for before the globals were there. */
export const catchUp = safe(() => early.q.forEach((given) => track(...given)));
