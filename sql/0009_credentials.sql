-- What proves who asks besides passwords: API keys, keys of signatures, share links, identities of other providers.
-- Times are epoch milliseconds, UTC; 0 stands for never. site_id 0 is every site. user_id is the account that made the
-- thing, empty where it was made on the server's own machine. digest is BLAKE2b-256 of what is shown once.
-- {…} are the macros of store/statements.py. Every statement may run twice: a killed migration starts again.

create table if not exists api_keys (
    digest {digest} not null,
    id {name} not null,
    name {name} not null,
    site_id {integer} not null,
    scopes {name} not null,
    user_id {name} not null,
    created_at {integer} not null,
    expires_at {integer} not null,
    last_used_at {integer} not null,
    primary key (digest)
) {table};

create index api_keys_id on api_keys (id);

-- Keys of programs that send had a table of their own. It is made again here for a migration that was killed behind
-- the drop.
create table if not exists send_keys (
    digest {digest} not null,
    id {name} not null,
    name {name} not null,
    site_id {integer} not null,
    created_at {integer} not null,
    primary key (digest)
) {table};

insert into api_keys (digest, id, name, site_id, scopes, user_id, created_at, expires_at, last_used_at)
select digest, id, name, site_id, 'ingest', '', created_at, 0, 0
from send_keys
where digest not in (select digest from api_keys);

drop table if exists send_keys;

-- Public keys (Ed25519) with which programs sign what they ask.
create table if not exists signing_keys (
    id {name} not null,
    site_id {integer} not null,
    public_key {digest} not null,
    name {name} not null,
    scope {name} not null,
    user_id {name} not null,
    created_at {integer} not null,
    last_used_at {integer} not null,
    primary key (id)
) {table};

create index signing_keys_site on signing_keys (site_id);

-- Signatures that were seen, until their time is over: digest is of key and nonce.
create table if not exists signature_nonces (
    digest {digest} not null,
    expires_at {integer} not null,
    primary key (digest)
) {table};

create index signature_nonces_expires on signature_nonces (expires_at);

-- Links that show one site's numbers. password is an argon2 hash, or empty.
create table if not exists share_links (
    digest {digest} not null,
    id {name} not null,
    site_id {integer} not null,
    name {text} not null,
    password {text} not null,
    user_id {name} not null,
    created_at {integer} not null,
    expires_at {integer} not null,
    last_used_at {integer} not null,
    primary key (digest)
) {table};

create index share_links_site on share_links (site_id);

-- Which account is whom at an OpenID Connect provider: digest is of issuer and subject.
create table if not exists identities (
    digest {digest} not null,
    issuer {text} not null,
    subject {text} not null,
    user_id {name} not null,
    created_at {integer} not null,
    primary key (digest)
) {table};

create index identities_user on identities (user_id);
