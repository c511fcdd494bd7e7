-- Requests of owners that came with an Idempotency-Key, for a day. Nothing here says of whom or of what: names and digests are keyed hashes, and an answer
-- is sealed under a key made from the Idempotency-Key itself, which is not stored.

-- answer: empty while the first request is under way; given up for lost once lease_until is past.
create table postern.idempotency (
  principal   bytea not null,
  name        bytea not null,
  request     bytea not null,
  lease_until timestamptz not null,
  expires_at  timestamptz not null,
  answer      bytea,
  primary key (principal, name)
);
create index on postern.idempotency (expires_at);
alter table postern.idempotency alter principal set statistics 0, alter name set statistics 0, alter request set statistics 0, alter answer set statistics 0;

grant select, insert, update, delete on postern.idempotency to postern_keeper, postern_directory;
