-- What came of the events that were accepted, by the hour (UTC, epoch milliseconds) in which they arrived.
-- {…} are the macros of store/statements.py. Every statement may run twice: a killed migration starts again.

-- accepted = stored + duplicates. late: stored, but long after they happened. numbered: stored, with the number of a
-- browser tab. robots and doubtful: stored, by what their signals say.
create table if not exists arrivals (
    site_id {integer} not null,
    hour {integer} not null,
    accepted {integer} not null,
    duplicates {integer} not null,
    late {integer} not null,
    numbered {integer} not null,
    robots {integer} not null,
    doubtful {integer} not null,
    primary key (site_id, hour)
) {table};
