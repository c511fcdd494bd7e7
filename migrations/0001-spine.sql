-- The spine: contracts, seats, sealed records, keys, approvals, purge, and the audit log.
-- Every table that grows starts its primary key with the contract (or log) id.
-- Everything about customers is ciphertext or a keyed hash; those columns keep no statistics (pg_statistic outlives DELETE).

create schema postern;
create schema audit;

-- Roles are cluster-wide: create if absent. LOGIN without a password; timeouts belong to the role, never to a session.
do $$
declare name text;
begin
  foreach name in array array['postern_edge', 'postern_keeper', 'postern_directory'] loop
    if not exists (select from pg_roles where rolname = name) then execute format('create role %I login', name); end if;
  end loop;
  foreach name in array array['postern_sequencer', 'postern_reader'] loop
    if not exists (select from pg_roles where rolname = name) then execute format('create role %I nologin', name); end if;
  end loop;
exception when duplicate_object or unique_violation then null; -- another migration of this cluster was faster
end $$;
grant postern_sequencer, postern_reader to postern_keeper;
alter role postern_edge set statement_timeout = '5s';
alter role postern_edge set idle_in_transaction_session_timeout = '10s';
alter role postern_edge set synchronous_commit = 'on';
alter role postern_keeper set statement_timeout = '60s';
alter role postern_keeper set idle_in_transaction_session_timeout = '60s';
alter role postern_keeper set synchronous_commit = 'on';
alter role postern_directory set statement_timeout = '20s';
alter role postern_directory set idle_in_transaction_session_timeout = '20s';
alter role postern_directory set synchronous_commit = 'on';

-- Contracts ------------------------------------------------------------------------------------------------------------

create table postern.contract (
  contract_id   text primary key,
  merchant      text not null,
  vendor        text not null,
  state         text not null check (state in ('draft', 'active', 'ended', 'purging', 'purged')),
  starts_at     timestamptz not null,
  ends_at       timestamptz not null check (ends_at > starts_at),
  purge_due_at  timestamptz not null check (purge_due_at >= ends_at + interval '24 hours'),
  bundle_digest text not null,
  created_at    timestamptz not null default now(),
  -- Set before the first share of a key is destroyed: from here no hold is placed.
  irrevocable_at timestamptz,
  suspended_at  timestamptz,
  -- The end of which the winding down was announced: where it is moved, the next one is, too.
  noticed_for   timestamptz,
  -- Until when one keeper tells the log that the end is near, or has come.
  told_until    timestamptz
);

-- Policy ∩ contract, compiled: canonical JSON under its SHA-256.
create table postern.bundle (
  contract_id text not null references postern.contract,
  digest      text not null,
  compiled    text not null,
  primary key (contract_id, digest)
);

create table postern.seat (
  contract_id text not null references postern.contract,
  issuer      text not null,
  subject     text not null,
  role        text not null,
  name        text not null,
  primary key (contract_id, issuer, subject)
);
create index seat_by_person on postern.seat (issuer, subject);

create table postern.approval (
  contract_id       text not null references postern.contract,
  approval_id       text not null,
  action            text not null check (action in ('activate', 'break_glass', 'grant_roles', 'change_policy', 'purge', 'partial_purge', 'release_hold', 'amend', 'terminate', 'resume')),
  digest            text not null,
  state             text not null check (state in ('requested', 'approved', 'rejected', 'withdrawn')),
  requested_issuer  text not null,
  requested_subject text not null,
  requested_at      timestamptz not null default now(),
  expires_at        timestamptz not null,
  decided_issuer    text,
  decided_subject   text,
  decided_at        timestamptz,
  primary key (contract_id, approval_id)
);

-- Keys -----------------------------------------------------------------------------------------------------------------

-- Share A of each epoch, wrapped by the root key. Share B lies in another store.
create table postern.key_epoch (
  contract_id  text not null references postern.contract,
  epoch        int not null,
  share_a      bytea,
  commitment_a text not null,
  commitment_b text not null,
  primary key (contract_id, epoch)
);

-- Locator, index and pseudonym keys: random, wrapped by the contract key.
create table postern.contract_key (
  contract_id text not null references postern.contract,
  purpose     text not null,
  epoch       int not null,
  wrapped     bytea not null,
  primary key (contract_id, purpose)
);

create table postern.subject_key (
  contract_id text not null references postern.contract,
  subject     text not null,
  epoch       int not null,
  wrapped     bytea not null,
  primary key (contract_id, subject)
);

-- Keys of the logs (monthly details keys; the gateway log's pseudonym key), wrapped by the root key. They outlive contracts.
create table postern.audit_key (
  log     text not null,
  purpose text not null,
  wrapped bytea not null,
  primary key (log, purpose)
);

-- Records --------------------------------------------------------------------------------------------------------------

create table postern.record (
  contract_id text not null references postern.contract,
  type        text not null,
  locator     text not null,
  subject     text not null,
  version     int not null,
  level0      bytea,
  level1      bytea,
  level2      bytea,
  level3      bytea,
  primary key (contract_id, type, locator)
);
-- Ciphertext does not compress; and up to 8 kB it stays in its row, where one page read finds it all.
alter table postern.record set (toast_tuple_target = 8160);
alter table postern.record alter level0 set storage external, alter level1 set storage external,
  alter level2 set storage external, alter level3 set storage external;

create table postern.blind_index (
  contract_id text not null references postern.contract,
  type        text not null,
  field       text not null,
  value       bytea not null,
  locator     text not null,
  primary key (contract_id, type, field, value, locator)
);
-- No name is empty: only a statement that says so may use this index. A planner that knows nothing of the table yet takes an index that begins
-- like the primary key for as good as it, keeps that plan for as long as the connection lives, and reads all that a contract has for each value.
create index blind_index_by_record on postern.blind_index (contract_id, type, locator) where locator > '';

-- Purge ----------------------------------------------------------------------------------------------------------------

create table postern.purge_job (
  contract_id text not null references postern.contract,
  job_id      text not null,
  basis       text not null check (basis in ('term_ended', 'owners')),
  step        text not null,
  not_before  timestamptz not null,
  fence       int not null default 0,
  lease_until timestamptz,
  facts       text not null,
  created_at  timestamptz not null default now(),
  primary key (contract_id, job_id)
);
-- One job a contract: a second request joins the first.
create unique index purge_job_one on postern.purge_job (contract_id);

create table postern.certificate (
  contract_id text not null references postern.contract,
  job_id      text not null,
  jws         text not null,
  -- When no backup may hold a copy any more; then a second certificate is signed, and closed once the log says so.
  horizon_at  timestamptz not null,
  final_jws   text,
  closed_at   timestamptz,
  primary key (contract_id, job_id)
);

-- Audit ----------------------------------------------------------------------------------------------------------------

create table audit.log (
  log    text primary key,
  origin text not null,
  state  text not null check (state in ('open', 'frozen')),
  size   bigint not null,
  root   bytea not null,
  range  bytea not null
);

-- One row a flush, under the id of its first entry. entries: each behind its length in two bytes (C2SP tlog-tiles).
create table audit.flush (
  log      text not null,
  flush_id text not null,
  head     text not null,
  entries  bytea not null,
  primary key (log, flush_id)
);
-- Compressing a flush costs more of a processor than storing it: 40 microseconds an entry instead of 26.
alter table audit.flush alter entries set storage external;

create table audit.pending (
  log      text not null,
  flush_id text not null,
  primary key (log, flush_id)
);

-- index: of the flush's first entry. leaf_hashes: 32 bytes for each of its entries, which stand at that place and the ones after it.
create table audit.seq (
  log         text not null,
  index       bigint not null,
  flush_id    text not null,
  leaf_hashes bytea not null,
  primary key (log, index)
);
create unique index seq_once on audit.seq (log, flush_id);
alter table audit.seq alter leaf_hashes set storage external;

create table audit.subtree (
  log   text not null,
  index bigint not null,
  root  bytea not null,
  primary key (log, index)
);

create table audit.checkpoint (
  log  text not null,
  size bigint not null,
  note text not null,
  primary key (log, size)
);

-- Derived from flush and seq; can be rebuilt.
create table audit.search (
  log       text not null,
  index     bigint not null,
  time      timestamptz not null,
  event     text not null,
  effect    text not null,
  actor     text not null,
  purpose   text,
  fields_id text,
  primary key (log, index)
);
create index search_by_actor on audit.search (log, actor, index);

-- What left how: thousands of entries share one of a few dozen sets. fields: policy path -> treatment.
create table audit.search_fields (
  log       text not null,
  fields_id text not null,
  fields    jsonb not null,
  primary key (log, fields_id)
);

create table audit.search_subject (
  log     text not null,
  subject text not null,
  index   bigint not null,
  primary key (log, subject, index)
);

-- Where each sink stands in each log. Copies only: the log does not know of them.
create table postern.sink_cursor (
  log           text not null,
  sink          text not null,
  next          bigint not null,
  lease_until   timestamptz,
  dead          bigint not null,
  last_error    text,
  failing_since timestamptz,
  primary key (log, sink)
);

-- Defence in depth; the proof is the tree.
create function audit.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit.% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
do $$
declare name text;
begin
  foreach name in array array['flush', 'seq', 'subtree', 'checkpoint'] loop
    execute format('create trigger append_only before update or delete or truncate on audit.%I for each statement execute function audit.refuse_change()', name);
    execute format('alter table audit.%I enable always trigger append_only', name);
  end loop;
end $$;

-- No statistics of cipher, index and key columns -------------------------------------------------------------------------

alter table postern.key_epoch alter share_a set statistics 0, alter commitment_a set statistics 0, alter commitment_b set statistics 0;
alter table postern.contract_key alter wrapped set statistics 0;
alter table postern.subject_key alter subject set statistics 0, alter wrapped set statistics 0;
alter table postern.audit_key alter wrapped set statistics 0;
alter table postern.record alter locator set statistics 0, alter subject set statistics 0,
  alter level0 set statistics 0, alter level1 set statistics 0, alter level2 set statistics 0, alter level3 set statistics 0;
alter table postern.blind_index alter value set statistics 0, alter locator set statistics 0;
alter table audit.flush alter entries set statistics 0;
alter table audit.search alter actor set statistics 0;
alter table audit.search_subject alter subject set statistics 0;

-- Grants ---------------------------------------------------------------------------------------------------------------

grant usage on schema postern, audit to postern_edge, postern_keeper, postern_directory, postern_sequencer, postern_reader;
grant select on postern.contract, postern.bundle, postern.seat, postern.record, postern.blind_index,
  postern.key_epoch, postern.contract_key, postern.subject_key, postern.audit_key to postern_edge;
grant select (log, origin, state) on audit.log to postern_edge;
grant insert on audit.flush, audit.pending to postern_edge, postern_keeper;
grant select, insert, update, delete on all tables in schema postern to postern_keeper;
-- Who decides who sits where writes seats and entries. It opens contracts' keys, whose pseudonyms stand in entries; no key of a person, no record.
grant select on postern.contract, postern.bundle, postern.seat, postern.key_epoch, postern.contract_key, postern.audit_key to postern_directory;
grant insert, update on postern.seat to postern_directory;
grant select (log, origin, state) on audit.log to postern_directory;
grant insert on audit.flush, audit.pending to postern_directory;
grant select on all tables in schema audit to postern_reader;
grant select on all tables in schema audit to postern_sequencer;
grant insert on audit.log, audit.seq, audit.subtree, audit.checkpoint, audit.search, audit.search_fields, audit.search_subject to postern_sequencer;
grant update on audit.log to postern_sequencer;
grant delete on audit.pending to postern_sequencer;

-- Holds a contract's row as it is for the rest of the transaction, for a role that may not change it: FOR SHARE asks for UPDATE.
create function postern.share_contract(id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from postern.contract where contract_id = id for share;
end $$;
revoke execute on function postern.share_contract(text) from public;
grant execute on function postern.share_contract(text) to postern_keeper, postern_directory;
