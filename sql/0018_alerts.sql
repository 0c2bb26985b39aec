-- Alerts: what is watched, where it is told, what has happened, and what is on its way. Times are epoch milliseconds, UTC;
-- site_id 0 is the server itself. sealed is encrypted; bodies are JSON. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

create table if not exists alert_channels (
    site_id {integer} not null,
    id {key} not null,
    at {integer} not null,
    body {text} not null,
    sealed {bytes} not null,
    primary key (site_id, id)
) {table};

create table if not exists alert_rules (
    site_id {integer} not null,
    id {key} not null,
    at {integer} not null,
    body {text} not null,
    problem {text} not null,
    primary key (site_id, id)
) {table};

-- One row for each thing that has happened, by what it is called.
create table if not exists alert_states (
    site_id {integer} not null,
    rule_id {key} not null,
    event {key} not null,
    at {integer} not null,
    body {text} not null,
    primary key (site_id, rule_id, event)
) {table};

-- status is waiting, sent or failed.
create table if not exists alert_deliveries (
    site_id {integer} not null,
    id {key} not null,
    rule_id {key} not null,
    channel_id {key} not null,
    at {integer} not null,
    next_at {integer} not null,
    tries {integer} not null,
    status {name} not null,
    body {text} not null,
    answer {text} not null,
    primary key (site_id, id)
) {table};

create index alert_deliveries_due on alert_deliveries (status, next_at);

-- Work that one node at a time does: who does it, and until when nobody else begins.
create table if not exists job_leases (
    name {name} not null,
    holder {name} not null,
    until_at {integer} not null,
    primary key (name)
) {table};
