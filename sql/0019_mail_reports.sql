-- Reports that are sent by mail: when and to whom, what was sent, and who wants none of it. Times are epoch milliseconds,
-- UTC; recipient is a digest of a mail address. {…} are the macros of store/statements.py. Every statement may run twice:
-- a killed migration starts again.

-- at is the moment from which on the schedule counts; body is JSON.
create table if not exists report_schedules (
    site_id {integer} not null,
    id {key} not null,
    at {integer} not null,
    owner {name} not null,
    body {text} not null,
    primary key (site_id, id)
) {table};

-- One row for a recipient and a moment at which a report was due: what is not here was not sent, and what is here is sent
-- once. outcome: waiting, sending (until until_at), sent, failed, skipped, dropped; said is what came of the last try.
create table if not exists report_deliveries (
    site_id {integer} not null,
    schedule_id {key} not null,
    due_at {integer} not null,
    recipient {key} not null,
    due_day {integer} not null,
    made_at {integer} not null,
    tries {integer} not null,
    next_at {integer} not null,
    until_at {integer} not null,
    outcome {name} not null,
    said {text} not null,
    primary key (site_id, schedule_id, due_at, recipient)
) {table};

create index report_deliveries_next on report_deliveries (outcome, next_at);

create table if not exists report_stops (
    site_id {integer} not null,
    schedule_id {key} not null,
    recipient {key} not null,
    at {integer} not null,
    primary key (site_id, schedule_id, recipient)
) {table};
