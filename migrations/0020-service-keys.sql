-- Keys of merchants' own systems: what each may do at one contract, until when. Of the key itself its digest: 256 random bits are not to be guessed from it.

-- scopes: names with a space between. previous_digest: of the key before the last rotation, which counts until previous_until.
create table postern.service_key (
  contract_id     text not null references postern.contract,
  key_id          text not null unique,
  name            text not null,
  scopes          text not null,
  digest          bytea not null,
  previous_digest bytea,
  previous_until  timestamptz,
  created_issuer  text not null,
  created_subject text not null,
  created_at      timestamptz not null default now(),
  expires_at      timestamptz not null,
  revoked_at      timestamptz,
  last_used_at    timestamptz,
  primary key (contract_id, key_id)
);

grant select, insert, update on postern.service_key to postern_directory;
grant select, insert, update, delete on postern.service_key to postern_keeper;
