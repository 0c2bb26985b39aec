-- People, what they may see, their log-ins. Times are epoch milliseconds, UTC; ids are random. Passwords are argon2id
-- hashes, whatever else proves something is stored as its BLAKE2b-256. {…} are the macros of store/statements.py.
-- Every statement may run twice: a killed migration starts again.

-- password_hash '': cannot log in with one. totp: the secret of the second factor, encrypted; totp_at 0: not confirmed
-- yet; totp_step: the last one whose code was used.
create table if not exists users (
    id {key} not null,
    username {name} not null,
    email {text} not null,
    password_hash {text} not null,
    is_admin {integer} not null,
    disabled {integer} not null,
    created_at {integer} not null,
    password_at {integer} not null,
    seen_at {integer} not null,
    totp {bytes} not null,
    totp_at {integer} not null,
    totp_step {integer} not null,
    primary key (id)
) {table};

-- By what users are found: usernames and e-mail addresses, without case, no two alike among both.
create table if not exists user_names (
    digest {digest} not null,
    user_id {key} not null,
    kind {name} not null,
    primary key (digest)
) {table};

create index user_names_user on user_names (user_id, kind);

-- One row that changes of users write first, so that no two run at once: the last admin stays, the first is one.
create table if not exists user_turns (
    id {integer} not null,
    turn {integer} not null,
    primary key (id)
) {table};

create table if not exists site_users (
    site_id {integer} not null,
    user_id {key} not null,
    role {name} not null,
    primary key (site_id, user_id)
) {table};

create index site_users_user on site_users (user_id, site_id);

-- kind: browser (a cookie) or tokens (access and refresh token); digest: of the cookie or of the present refresh token.
create table if not exists logins (
    id {key} not null,
    user_id {key} not null,
    kind {name} not null,
    digest {digest} not null,
    agent {text} not null,
    created_at {integer} not null,
    used_at {integer} not null,
    primary key (id)
) {table};

create index logins_user on logins (user_id, id);

create index logins_used on logins (used_at);

create table if not exists recovery_codes (
    user_id {key} not null,
    digest {digest} not null,
    primary key (user_id, digest)
) {table};

-- Links with which somebody chooses a password; of no user (16 zero bytes): with which the first account is made.
create table if not exists invitations (
    digest {digest} not null,
    user_id {key} not null,
    created_at {integer} not null,
    expires_at {integer} not null,
    primary key (digest)
) {table};

create index invitations_user on invitations (user_id);

-- Attempts to log in, by address and by account, both under a keyed hash: when its bucket will be full again.
create table if not exists login_throttle (
    id {key} not null,
    full_at {integer} not null,
    primary key (id)
) {table};

create index login_throttle_full on login_throttle (full_at);
