"""Where each reason for dropping a hit is counted."""

from visitor_tracker.metrics import Cell

CELL_OF: dict[str, Cell] = {
    "duplicate": Cell.DROPPED_DUPLICATE,
    "prefetch": Cell.DROPPED_PREFETCH,
    "invalid_url": Cell.DROPPED_INVALID_URL,
    "invalid_event": Cell.DROPPED_INVALID_EVENT,
    "rate_limit": Cell.DROPPED_RATE_LIMIT,
    "origin": Cell.DROPPED_ORIGIN,
    "unavailable": Cell.DROPPED_UNAVAILABLE,
    "unknown_site": Cell.DROPPED_UNKNOWN_SITE,
    "hostname": Cell.DROPPED_HOSTNAME,
    "too_old": Cell.DROPPED_TOO_OLD,
    "opt_out": Cell.DROPPED_OPT_OUT,
    "replay": Cell.DROPPED_REPLAY,
    "heatmap": Cell.DROPPED_HEATMAP,
}
