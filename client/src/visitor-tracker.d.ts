/** What a server says of one page. Times are ISO 8601 in UTC, null for a page without a visit. */
export interface PageCount {
  page_url: string;
  visit_count: number;
  last_visited: string | null;
  created_at: string | null;
}

/** What a server says of one visit that it counted. */
export interface CountedVisit {
  page_url: string;
  /** null while `pending`. */
  visit_count: number | null;
  last_visited: string | null;
  created_at: string | null;
  /** Proves, at the server's /verify, that it gave this number. */
  security_token: string | null;
  /** The visit was counted by an earlier request with the same id. */
  duplicate?: true;
  /** The visit is stored safely and its number not known yet. */
  pending?: true;
}

/** What `fetch` takes, and the time in milliseconds that one attempt may take (10,000 unless set). */
export interface FetchOptions extends Omit<RequestInit, 'method' | 'body'> {
  timeout?: number;
}

/**
 * Counts visits of pages. No method throws and no promise rejects: when anything goes wrong
 * (no network, a refusal, an answer that is not JSON, bad arguments) they resolve to null.
 */
export class VisitorTracker {
  /** `apiBaseUrl`: the server's address; unless given, the one that this script was loaded from. */
  constructor(apiBaseUrl?: string, fetchOptions?: FetchOptions);

  apiBaseUrl: string;
  fetchOptions: FetchOptions;

  /** Sends one GET request to the server, such as ('/count', {url}). */
  sendGetRequest<Answer = unknown>(endpoint: string, params?: Record<string, string>): Promise<Answer | null>;

  /** Counts a visit of the page, this one unless given; a request that has to be repeated counts once. */
  updateVisitorCount(pageUrl?: string | URL): Promise<CountedVisit | null>;

  /** Reads the count of one page without counting a visit. */
  getVisitorCount(pageUrl: string | URL): Promise<PageCount | null>;
  /** Reads the counts of all pages, as far as the server shows them to this client. */
  getVisitorCount(pageUrl?: null): Promise<PageCount[] | null>;

  /** Returns the address of an image that shows the page's count. */
  badgeUrl(pageUrl?: string | URL): string;
}

declare global {
  interface Window {
    /** Set by the plain script, visitor-tracker.iife.js. */
    VisitorTracker?: typeof VisitorTracker;
  }
}
