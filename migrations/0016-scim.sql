-- A vendor's own directory by SCIM 2.0: its tokens, its people, and which seats it has given and taken.

-- Whoever shows the token whose SHA-256 this is speaks for the vendor's directory, until it expires.
create table postern.scim_token (
  vendor       text not null,
  token_id     text not null,
  digest       text not null,
  issued_at    timestamptz not null default now(),
  expires_at   timestamptz not null,
  last_used_at timestamptz,
  primary key (vendor, token_id)
);
create unique index scim_token_digest on postern.scim_token (vendor, digest);

-- likeness, login_likeness: what subject and userName look like to somebody who reads a list, as a seat's.
create table postern.scim_user (
  vendor         text not null,
  user_id        text not null,
  issuer         text not null,
  subject        text not null,
  likeness       text not null,
  login          text not null,
  login_likeness text not null,
  external_id    text,
  name           text not null,
  active         boolean not null,
  version        int not null,
  created_at     timestamptz not null default now(),
  changed_at     timestamptz not null default now(),
  primary key (vendor, user_id)
);
create unique index scim_user_likeness on postern.scim_user (vendor, issuer, likeness);
create unique index scim_user_login on postern.scim_user (vendor, login_likeness);
create index scim_user_person on postern.scim_user (vendor, issuer, subject);
create index on postern.scim_user (vendor, external_id);

-- member: the seat is a membership in the vendor's group of the role; left: it was, and gives no access. Empty: the merchant's import alone gave it.
alter table postern.seat add column scim text check (scim in ('member', 'left'));

grant select (vendor, issuer, subject, active) on postern.scim_user to postern_edge;
grant select, insert, update, delete on postern.scim_token, postern.scim_user to postern_keeper, postern_directory;
