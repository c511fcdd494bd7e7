-- Sessions of people who came by a page: whose, and until when. Of the cookie its digest: 256 random bits are not to be guessed from it.
-- provider_subject, provider_session: what their provider calls the person and its own session, for when it says that that is over.
-- stepped_up_at: when its holder last showed a passkey. challenge: the digest of what a passkey is to sign next, once.
create table postern.session (
  session_id       bytea primary key,
  issuer           text not null,
  subject          text not null,
  provider_subject text not null,
  provider_session text,
  opened_at        timestamptz not null default now(),
  used_at          timestamptz not null default now(),
  ends_at          timestamptz not null,
  stepped_up_at    timestamptz,
  challenge        bytea,
  challenge_until  timestamptz
);
create index on postern.session (issuer, subject);
create index on postern.session (issuer, provider_subject);
create index on postern.session (ends_at);

grant select, insert, update, delete on postern.session to postern_directory, postern_keeper;
