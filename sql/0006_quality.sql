-- How much of what browser tabs sent has arrived. An hour is that of UTC in which a tab began, as epoch milliseconds.
-- {…} are the macros of store/statements.py. Every statement may run twice: a killed migration starts again.

-- Tabs that may still send: how many events have come, and the highest of their numbers.
create table if not exists tabs (
    site_id {integer} not null,
    hour {integer} not null,
    tab {key} not null,
    received {integer} not null,
    highest {integer} not null,
    primary key (site_id, hour, tab)
) {table};

-- What older tabs came to.
create table if not exists quality_hour (
    site_id {integer} not null,
    hour {integer} not null,
    tabs {integer} not null,
    received {integer} not null,
    expected {integer} not null,
    primary key (site_id, hour)
) {table};
