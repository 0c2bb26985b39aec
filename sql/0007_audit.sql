-- What people and programs changed. Times are epoch milliseconds, UTC; ids begin with the time. who is the kind and the
-- id of the account, key or link, name what it was called then. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

create table if not exists audit (
    id {key} not null,
    at {integer} not null,
    who {name} not null,
    name {text} not null,
    action {name} not null,
    site_id {integer} not null,
    target {text} not null,
    detail {text} not null,
    primary key (id)
) {table};

create index audit_site on audit (site_id, id);
