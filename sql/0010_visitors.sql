-- Visitors whom a site recognises, and what was erased. Times are epoch milliseconds, UTC. {…} are the macros of
-- store/statements.py. Every statement may run twice: a killed migration starts again.

-- What cannot be read from visits: a note, and of visits that retention has deleted how many they were and when; first_at
-- 0: none was.
create table if not exists visitor_profiles (
    site_id {integer} not null,
    visitor {key} not null,
    first_at {integer} not null,
    last_at {integer} not null,
    visits {integer} not null,
    note {text} not null,
    primary key (site_id, visitor)
) {table};

create index visitor_profiles_last on visitor_profiles (site_id, last_at);

-- Whose events from first_ts to last_ts are not to come back, out of a journal or a browser that had not sent them yet.
-- mark is a hash of the visitor's hash, or 16 zero bytes for everybody of the site.
create table if not exists erasures (
    site_id {integer} not null,
    mark {key} not null,
    first_ts {integer} not null,
    last_ts {integer} not null,
    at {integer} not null,
    primary key (site_id, mark, first_ts)
) {table};

create index erasures_at on erasures (at);

-- What is being erased just now; a row goes when nothing is left. body is an erasing.Job as msgpack.
create table if not exists open_erasures (
    id {key} not null,
    body {bytes} not null,
    primary key (id)
) {table};
