-- The visits of a site by when they began, for the list of them. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

create index sessions_first on sessions (site_id, first_ts, visitor);
