-- What transactions of the fold came to that is not in the rollups yet: while more events wait, those of several are
-- added at once. body is a sums.Sums as msgpack. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

create table if not exists rollup_deltas (
    site_id {integer} not null,
    id {key} not null,
    body {bytes} not null,
    primary key (site_id, id)
) {table};
