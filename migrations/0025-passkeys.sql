-- Passkeys of people who come by a page: what each signs with, to be shown again where an act wants its person there (docs/SESSIONS.md).
-- counter: how often it says that it has signed; one that goes back is a copy's. Not a contract's: whose it is, is a person of an issuer.
create table postern.passkey (
  passkey_id    bytea primary key,
  issuer        text not null,
  subject       text not null,
  name          text not null,
  public_key    bytea not null,
  counter       bigint not null,
  registered_at timestamptz not null default now(),
  used_at       timestamptz
);
create index on postern.passkey (issuer, subject);

grant select, insert, update, delete on postern.passkey to postern_directory, postern_keeper;
