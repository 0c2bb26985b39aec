-- The per-page counter and what makes its batches repeatable. Times are epoch milliseconds, UTC.
-- {…} are the macros of store/statements.py. Every statement may run twice: a killed migration starts again.

-- One row per page. The key is a hash because a utf8mb4 URL of 2,048 characters cannot be one. No index on
-- visit_count or last_visited: each visit would pay for it, a list is read seldom.
create table if not exists visitors (
    site_id {integer} not null,
    page_hash {key} not null,
    page_url {url} not null,
    visit_count {integer} not null,
    last_visited {integer} not null,
    created_at {integer} not null,
    primary key (site_id, page_hash)
) {table};

-- One row per batch, written in the batch's own transaction: who asks again gets these results.
create table if not exists ledger (
    batch_id {key} not null,
    at {integer} not null,
    results {bytes} not null,
    primary key (batch_id)
) {table};

create index ledger_at on ledger (at);

-- Ids of visits, so that a repetition counts once. batch_id says which batch brought the id first.
create table if not exists event_ids (
    site_id {integer} not null,
    scope {name} not null,
    id {key} not null,
    batch_id {key} not null,
    at {integer} not null,
    primary key (site_id, scope, id)
) {table};

create index event_ids_at on event_ids (at);

-- Random keys that every process and node must share.
create table if not exists secrets (
    name {name} not null,
    value {bytes} not null,
    created_at {integer} not null,
    primary key (name)
) {table};
