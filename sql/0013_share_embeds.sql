-- Share links whose numbers pages elsewhere may show in a frame: origins are those of the pages, with a space between two,
-- or * for all. A link without a row opens in no frame. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

create table if not exists share_embeds (
    digest {digest} not null,
    site_id {integer} not null,
    origins {text} not null,
    primary key (digest)
) {table};
