-- Robots by behaviour: what was found of visitors' days. {…} are the macros of store/statements.py. Every statement may
-- run twice: a killed migration starts again.

-- A visitor's day for which something speaks. verdict and overruled: 0 human, 1 doubtful, 2 robot; overruled is -1
-- where no person has said anything. score is in thousandths; reasons are JSON; at and overruled_at are epoch ms.
create table if not exists verdicts (
    site_id {integer} not null,
    day {integer} not null,
    visitor {key} not null,
    verdict {integer} not null,
    score {integer} not null,
    views {integer} not null,
    events {integer} not null,
    at {integer} not null,
    overruled {integer} not null,
    overruled_by {name} not null,
    overruled_at {integer} not null,
    reasons {bytes} not null,
    primary key (site_id, day, visitor)
) {table};

-- Days that were judged: by which rules, and as many events as they had then. is_over: all of the day was there.
create table if not exists judged_days (
    site_id {integer} not null,
    day {integer} not null,
    rules {integer} not null,
    events {integer} not null,
    is_over {integer} not null,
    at {integer} not null,
    primary key (site_id, day)
) {table};
