-- Extracts of past days have many parts, of which a question reads a few over many days: so the part comes before the
-- day. They are made again from visits. {…} are the macros of store/statements.py. Every statement may run twice: a
-- killed migration starts again.

drop table if exists day_extracts;

create table if not exists day_extracts (
    site_id {integer} not null,
    part {integer} not null,
    day {integer} not null,
    stamp {key} not null,
    body {bytes} not null,
    primary key (site_id, part, day)
) {table};
