/** Compiled, never run: the declarations say what the clients promise. */
import {type Live, type Metric, VisitorStats, VisitorStatsError} from '../src/reader.js';
import {type CountedVisit, type PageCount, VisitorTracker} from '../src/visitor-tracker.js';

const tracker: VisitorTracker = new VisitorTracker();
new VisitorTracker('https://stats.example.com', {timeout: 500, priority: 'low', headers: {'X-Key': 'k'}});

const counted: Promise<CountedVisit | null> = tracker.updateVisitorCount();
const page: Promise<PageCount | null> = tracker.getVisitorCount(new URL('https://example.com'));
const pages: Promise<PageCount[] | null> = tracker.getVisitorCount(null);
const all: Promise<PageCount[] | null> = tracker.getVisitorCount();
const answer: Promise<{version: string} | null> = tracker.sendGetRequest<{version: string}>('/', {});
const badge: string = tracker.badgeUrl('https://example.com');
const known: typeof VisitorTracker | undefined = window.VisitorTracker;

const count: Promise<number | null | undefined> = counted.then((visit) => visit?.visit_count);
const isPending: Promise<boolean> = counted.then((visit) => visit?.pending === true);

// @ts-expect-error the number may not be known yet
counted.then((visit) => visit?.visit_count.toFixed());
// @ts-expect-error the method is the client's own
new VisitorTracker('', {method: 'DELETE'});
// @ts-expect-error an address is text
new VisitorTracker(8000);
// @ts-expect-error null may be answered
tracker.updateVisitorCount().then((visit) => visit.visit_count);
// @ts-expect-error a number is no page
tracker.getVisitorCount(7);

export {all, answer, badge, count, counted, isPending, known, page, pages};

const reader: VisitorStats = new VisitorStats({url: 'https://stats.example.com', key: 'vt_x', site: 'blog'});
const visitors: Promise<Metric | undefined> = reader
  .query({metrics: ['visitors'], dimensions: ['page'], date_range: ['2026-01-01', '2026-01-31']})
  .then(({rows: [row]}) => row?.metrics.visitors);
const live: Promise<Live> = reader.live();
const refused: number = new VisitorStatsError().status;

// @ts-expect-error there is no such interval
reader.query({interval: 'minute'});
// @ts-expect-error a metric may be null
reader.query().then(({totals}) => totals.metrics.visitors.toFixed());

export {live, refused, visitors};
