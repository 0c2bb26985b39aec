-- What the fold makes of events, and reports read. Times are epoch milliseconds, UTC; a day is a site's local date as
-- yyyymmdd, a month yyyymm. Texts, sources and contexts are stored once, under an id made from what they are. 16 zero
-- bytes are a visitor that nobody knows. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

create table if not exists strings (
    id {integer} not null,
    value {text} not null,
    primary key (id)
) {table};

-- What brought a visitor (event.Source), as msgpack.
create table if not exists sources (
    id {integer} not null,
    body {bytes} not null,
    primary key (id)
) {table};

-- Where a visitor was and with what (place, agent, language, screen), as msgpack.
create table if not exists contexts (
    id {integer} not null,
    body {bytes} not null,
    primary key (id)
) {table};

-- Every event. kind is a position in event.KINDS; page, host, name and target are ids of strings; flags are of
-- fact.Flag; body has what is rare, as msgpack, and is mostly empty.
create table if not exists events (
    site_id {integer} not null,
    ts {integer} not null,
    id {key} not null,
    day {integer} not null,
    visitor {key} not null,
    kind {integer} not null,
    flags {integer} not null,
    signals {integer} not null,
    page {integer} not null,
    host {integer} not null,
    source {integer} not null,
    context {integer} not null,
    name {integer} not null,
    target {integer} not null,
    engaged_ms {integer} not null,
    body {bytes} not null,
    primary key (site_id, ts, id)
) {table};

-- Visits. bucket is the day on which one began, or 0 when it saw more than two days: so all that may touch a day are
-- found in four buckets, and what is written today lies together. body is a VisitorSession as msgpack.
create table if not exists sessions (
    site_id {integer} not null,
    bucket {integer} not null,
    visitor {key} not null,
    first_ts {integer} not null,
    last_ts {integer} not null,
    body {bytes} not null,
    primary key (site_id, bucket, visitor, first_ts)
) {table};

-- Who a visitor was before the key changed, told in the first half hour after. What joins no visit goes after two days.
create table if not exists visitor_links (
    site_id {integer} not null,
    visitor {key} not null,
    previous {key} not null,
    at {integer} not null,
    joined {integer} not null,
    primary key (site_id, visitor, previous)
) {table};

create index visitor_links_previous on visitor_links (site_id, previous);

-- Which visitor had a session of which the page gave the id (its hash), and when it was first heard of.
create table if not exists client_sessions (
    site_id {integer} not null,
    client {key} not null,
    visitor {key} not null,
    day {integer} not null,
    ts {integer} not null,
    primary key (site_id, client, visitor, day)
) {table};

-- Visitors that may come again under the same hash on another day (any policy but daily), robots not among them.
create table if not exists daily_visitors (
    site_id {integer} not null,
    day {integer} not null,
    visitor {key} not null,
    primary key (site_id, day, visitor)
) {table};

-- For the same visitors: on how many days of a month one is counted for a value of a dimension.
create table if not exists seen (
    site_id {integer} not null,
    month {integer} not null,
    visitor {key} not null,
    dimension {integer} not null,
    value {integer} not null,
    days {integer} not null,
    primary key (site_id, month, visitor, dimension, value)
) {table};

create table if not exists rollup_hour (
    site_id {integer} not null,
    dimension {integer} not null,
    period {integer} not null,
    value {integer} not null,
    visitors {integer} not null,
    visits {integer} not null,
    views {integer} not null,
    bounces {integer} not null,
    singles {integer} not null,
    engaged_ms {integer} not null,
    duration_ms {integer} not null,
    events {integer} not null,
    primary key (site_id, dimension, period, value)
) {table};

create table if not exists rollup_day (
    site_id {integer} not null,
    dimension {integer} not null,
    period {integer} not null,
    value {integer} not null,
    visitors {integer} not null,
    visits {integer} not null,
    views {integer} not null,
    bounces {integer} not null,
    singles {integer} not null,
    engaged_ms {integer} not null,
    duration_ms {integer} not null,
    events {integer} not null,
    primary key (site_id, dimension, period, value)
) {table};

create table if not exists rollup_month (
    site_id {integer} not null,
    dimension {integer} not null,
    period {integer} not null,
    value {integer} not null,
    visitors {integer} not null,
    visits {integer} not null,
    views {integer} not null,
    bounces {integer} not null,
    singles {integer} not null,
    engaged_ms {integer} not null,
    duration_ms {integer} not null,
    events {integer} not null,
    primary key (site_id, dimension, period, value)
) {table};

-- Who folds a site. epoch grows whenever another node takes it over.
create table if not exists site_lease (
    site_id {integer} not null,
    holder {name} not null,
    epoch {integer} not null,
    until_at {integer} not null,
    primary key (site_id)
) {table};

-- Days of which events were folded; raw_complete 1: all of them are still in events.
create table if not exists raw_days (
    site_id {integer} not null,
    day {integer} not null,
    raw_complete {integer} not null,
    primary key (site_id, day)
) {table};

-- One record per address, of sites that keep addresses; body is the rest of it as msgpack.
create table if not exists ip_records (
    site_id {integer} not null,
    ip {name} not null,
    first_at {integer} not null,
    last_at {integer} not null,
    visits {integer} not null,
    body {bytes} not null,
    primary key (site_id, ip)
) {table};

create index ip_records_last on ip_records (site_id, last_at);
