/** Where rows of these views lead to. */
import {toView} from '../../app/place.js';
import {writeFilter} from '../../app/question.js';

/** Returns the overview of a period, without the filters of elsewhere. */
export const toDays = (period, more = {}) =>
  toView('overview', {period, compare: '', interval: '', segment: '', f: '', ...more});

/** Returns the overview of a period, filtered by one value. */
export const toValue = (period, dimension, value, more = {}) =>
  toDays(period, {f: writeFilter({operator: 'is', dimension, values: [value]}), ...more});
