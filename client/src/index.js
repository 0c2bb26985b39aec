/** The ES6 module: exports, and does nothing by itself. */
export {VisitorTracker} from './visitor-tracker.js';
