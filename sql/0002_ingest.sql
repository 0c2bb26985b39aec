-- Events on their way from the journals to the fold, sites, and the keys of visitor hashes. Times are epoch
-- milliseconds, UTC; a day is a site's local date as yyyymmdd. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

-- Events that wait to be folded; deleting a row is the mark that it was. Ids begin with the time, so that new rows
-- come at a site's end and the oldest are read first.
create table if not exists inbox (
    site_id {integer} not null,
    id {key} not null,
    at {integer} not null,
    events {integer} not null,
    body {bytes} not null,
    primary key (site_id, id)
) {table};

-- How far each segment of a journal is in inbox; moves in the transaction that inserts the rows.
create table if not exists journal_cursor (
    segment_id {key} not null,
    position {integer} not null,
    at {integer} not null,
    primary key (segment_id)
) {table};

-- On which days a visitor was here.
create table if not exists visitor_days (
    site_id {integer} not null,
    visitor {key} not null,
    day {integer} not null,
    first_at {integer} not null,
    primary key (site_id, visitor, day)
) {table};

-- What no table could take, as it lay in the journal. The id is made from the content: the same is kept once.
create table if not exists dead_letters (
    id {key} not null,
    site_id {integer} not null,
    at {integer} not null,
    reason {text} not null,
    body {bytes} not null,
    primary key (id)
) {table};

-- A site's id is made from its name. No unique index on the name: MySQL's upsert would take it for the key.
-- settings is JSON, because every reader has the sites as values and none searches them by a setting.
create table if not exists sites (
    id {integer} not null,
    name {name} not null,
    created_at {integer} not null,
    settings {text} not null,
    primary key (id)
) {table};

-- Keys of visitor hashes by period: a date, a month, or "persistent".
create table if not exists visitor_keys (
    period {name} not null,
    value {bytes} not null,
    created_at {integer} not null,
    primary key (period)
) {table};

-- What became of each key, one line after the other; each hash covers the line and the hash before it.
create table if not exists key_log (
    n {integer} not null,
    at {integer} not null,
    period {name} not null,
    action {name} not null,
    digest {digest} not null,
    previous {digest} not null,
    hash {digest} not null,
    primary key (n)
) {table};

-- Keys with which a program may say for whom it sends; only their digest is kept.
create table if not exists send_keys (
    digest {digest} not null,
    id {name} not null,
    name {name} not null,
    site_id {integer} not null,
    created_at {integer} not null,
    primary key (digest)
) {table};

-- Pieces of recorded sessions, in their order.
create table if not exists replay_chunks (
    site_id {integer} not null,
    session {key} not null,
    sequence {integer} not null,
    at {integer} not null,
    body {bytes} not null,
    primary key (site_id, session, sequence)
) {table};
