-- What people keep to look at numbers with: goals, funnels, segments, annotations. Times are epoch milliseconds, UTC;
-- owner is "" for what everybody sees who reads the site, else the kind and the id of who does; body is JSON.
-- {…} are the macros of store/statements.py. Every statement may run twice: a killed migration starts again.

create table if not exists goals (
    site_id {integer} not null,
    id {key} not null,
    at {integer} not null,
    owner {name} not null,
    body {text} not null,
    primary key (site_id, id)
) {table};

create table if not exists funnels (
    site_id {integer} not null,
    id {key} not null,
    at {integer} not null,
    owner {name} not null,
    body {text} not null,
    primary key (site_id, id)
) {table};

create table if not exists segments (
    site_id {integer} not null,
    id {key} not null,
    at {integer} not null,
    owner {name} not null,
    body {text} not null,
    primary key (site_id, id)
) {table};

-- Here at is the moment that is annotated.
create table if not exists annotations (
    site_id {integer} not null,
    id {key} not null,
    at {integer} not null,
    owner {name} not null,
    body {text} not null,
    primary key (site_id, id)
) {table};

create index annotations_at on annotations (site_id, at);
