-- Recorded sessions, whose pieces are in replay_chunks, and heat of pages. Times are epoch milliseconds, UTC; a month
-- is a site's local one as yyyymm. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

-- A recorded session: what its pieces come to. It is written first, so that pieces of one session take turns.
create table if not exists replays (
    site_id {integer} not null,
    session {key} not null,
    first_at {integer} not null,
    last_at {integer} not null,
    chunks {integer} not null,
    events {integer} not null,
    bytes {integer} not null,
    viewport {name} not null,
    url {url} not null,
    primary key (site_id, session)
) {table};

create index replays_last on replays (site_id, last_at);
create index replays_first on replays (first_at);

-- What the recorded sessions of a site come to.
create table if not exists replay_sites (
    site_id {integer} not null,
    sessions {integer} not null,
    events {integer} not null,
    bytes {integer} not null,
    primary key (site_id)
) {table};

-- The first snapshot of a page, all text masked, as packed JSON; viewport is a position in recording.VIEWPORTS.
create table if not exists page_snapshots (
    site_id {integer} not null,
    page {key} not null,
    viewport {integer} not null,
    at {integer} not null,
    width {integer} not null,
    height {integer} not null,
    url {url} not null,
    body {bytes} not null,
    primary key (site_id, page, viewport)
) {table};

create index page_snapshots_at on page_snapshots (at);

-- Pages of which there is heat.
create table if not exists heat_pages (
    site_id {integer} not null,
    page {key} not null,
    first_at {integer} not null,
    last_at {integer} not null,
    reports {integer} not null,
    url {url} not null,
    primary key (site_id, page)
) {table};

-- How often something happened in a cell of a page; viewport and kind are positions in recording.VIEWPORTS and
-- HEAT_KINDS.
create table if not exists heat (
    site_id {integer} not null,
    page {key} not null,
    viewport {integer} not null,
    kind {integer} not null,
    month {integer} not null,
    y {integer} not null,
    x {integer} not null,
    n {integer} not null,
    primary key (site_id, page, viewport, kind, month, y, x)
) {table};
