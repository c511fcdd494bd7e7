-- What agents wrote into merchants' own APIs under an Idempotency-Key, for a day: the edge adds rows and changes none. Names and digests are keyed hashes, and
-- an answer is sealed under a key made from the Idempotency-Key itself, which is not stored.

-- step: claimed by an attempt; answered; freed, where it is known that nothing was written.
create table postern.upstream_write (
  contract_id text not null references postern.contract,
  name        bytea not null,
  attempt     int not null,
  step        text not null check (step in ('claimed', 'answered', 'freed')),
  request     bytea,
  answer      bytea,
  written_at  timestamptz not null default now(),
  primary key (contract_id, name, attempt, step)
);
create unique index on postern.upstream_write (contract_id, name, attempt) where step <> 'claimed';
create index on postern.upstream_write (written_at);
alter table postern.upstream_write alter name set statistics 0, alter request set statistics 0, alter answer set statistics 0;

grant select, insert on postern.upstream_write to postern_edge;
grant select, insert, update, delete on postern.upstream_write to postern_keeper;
