-- What questions under filters read of a past day: its visits as columns, without visitors. Made again where stamp is no
-- more that of the day's rollups. {…} are the macros of store/statements.py. Every statement may run twice: a killed
-- migration starts again.

create table if not exists day_extracts (
    site_id {integer} not null,
    day {integer} not null,
    part {integer} not null,
    stamp {key} not null,
    body {bytes} not null,
    primary key (site_id, day, part)
) {table};
