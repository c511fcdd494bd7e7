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

-- Answers of merchants' own APIs, for the minutes that a contract lets them be kept: sealed, and named by a keyed hash of their question. A name of no bytes: what
-- was asked of the connector until then counts no more.
create table postern.upstream_answer (
  contract_id text not null references postern.contract,
  connector   text not null,
  answer_id   uuid not null default gen_random_uuid(),
  name        bytea not null,
  asked_at    timestamptz not null,
  answer      bytea,
  primary key (contract_id, connector, answer_id)
);
create index on postern.upstream_answer (contract_id, connector, name, asked_at);
create index on postern.upstream_answer (asked_at);
alter table postern.upstream_answer alter name set statistics 0, alter answer set statistics 0;

grant select, insert on postern.upstream_answer to postern_edge;
grant select, insert, update, delete on postern.upstream_answer to postern_keeper;
