/** A number of a metric; null where it cannot be told: `meta.suppressed` says why. */
export type Metric = number | null;

export type DateRange = string | [from: string, to: string];

/** A query, as docs/query.md describes it; everything has a default. */
export interface Query {
  site?: string;
  metrics?: string[];
  dimensions?: string[];
  /** A filter as text, or as the tree of the JSON form. */
  filters?: string | object;
  segment?: string;
  goal?: string;
  date_range?: DateRange;
  interval?: 'hour' | 'day' | 'week' | 'month';
  /** What weeks begin with; monday by default. */
  week_start?: 'monday' | 'sunday' | 'saturday';
  timezone?: string;
  compare?: DateRange;
  order_by?: string[];
  limit?: number;
  cursor?: string;
}

/** How much more there is than in the period that is compared with. */
export interface Change {
  absolute: Metric;
  percent: number | null;
}

export interface Totals {
  metrics: Record<string, Metric>;
  compared?: Record<string, Metric>;
  change?: Record<string, Change>;
}

export interface Row extends Totals {
  dimensions: Record<string, string>;
  compared_time?: string;
}

export interface Answer {
  rows: Row[];
  totals: Totals;
  meta: {
    from: string;
    to: string;
    timezone: string;
    interval: string;
    visitors_are: 'exact' | 'daily_sum' | 'monthly_sum' | 'suppressed';
    note: string;
    rows_in_all: number;
    as_of: string;
    suppressed: {metric: string; reason: string}[];
  };
  /** Asks for the rows that follow; null where there are none. */
  cursor: string | null;
}

/** How many visitors have this in common: of those here now, and of the last half hour. */
export interface Share {
  name: string;
  now: number;
  visitors: number;
}

export interface Live {
  site: string;
  time: string;
  now: number;
  visitors: number;
  views: number;
  minutes: {time: string; views: number}[];
  pages: Share[];
  sources: Share[];
  countries: Share[];
  feed: {time: string; kind: string; page: string; country: string; session?: string; name?: string}[];
}

export interface Stats {
  total_visits: number;
  unique_visitors: number;
  history: {date: string; total_visits: number; unique_visitors: number}[];
  countries: Record<string, number>;
  pages: Record<string, number>;
  devices: Record<string, number>;
  browsers: Record<string, number>;
  os: Record<string, number>;
  referrers: Record<string, number>;
  links: Record<string, number>;
}

export interface Settings {
  /** The server's address; unless given, that of the page. */
  url?: string;
  /** An API key. */
  key?: string;
  /** The token of a share link. */
  shareToken?: string;
  /** Name or alias, for calls that name none; `default` unless given. */
  site?: string;
  /** Milliseconds that one attempt may take, 10,000 unless given. */
  timeout?: number;
  /** Attempts after the first, where the server is busy or does not answer; 2 unless given. */
  retries?: number;
  fetch?: typeof globalThis.fetch;
}

/** The server refused, or did not answer: `status` is then 0. */
export class VisitorStatsError extends Error {
  status: number;
  code: string;
  hint: string;
}

/** Reads the numbers of one server. Every promise rejects with a VisitorStatsError. */
export class VisitorStats {
  constructor(settings?: Settings);

  site: string;

  query(asked?: Query): Promise<Answer>;
  rows(asked?: Query): AsyncGenerator<Row, void, void>;
  live(asked?: {site?: string; feed?: number}): Promise<Live>;
  stats(asked?: {site?: string}): Promise<Stats>;
  sites(): Promise<{name: string; timezone: string; hostnames: string[]; public: boolean}[]>;
  /** Reads any other GET route. */
  get<Found = unknown>(path: string, fields?: Record<string, unknown>): Promise<Found>;
}
