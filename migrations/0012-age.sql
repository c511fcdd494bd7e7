-- How old records are, and what is deleted of a contract while it goes on: what is over its age, by the day.

-- When the merchant imported it last. The clock of the transaction, so that the rows of one batch share one key of the index.
alter table postern.record add column written_at timestamptz not null default now();
-- Every instant is after that one: only a statement that says so may use this index (0001, blind_index_by_record).
create index record_by_age on postern.record (contract_id, type, written_at) where written_at > '-infinity';

-- rules: type → instant, JSON; what was written before it goes. epoch: the last under which a key that went can have been wrapped.
create table postern.partial_purge (
  contract_id  text not null references postern.contract,
  job_id       text not null,
  basis        text not null,
  step         text not null,
  rules        text not null,
  records      bigint not null default 0,
  index_rows   bigint not null default 0,
  subject_keys bigint not null default 0,
  epoch        int,
  fence        int not null default 0,
  lease_until  timestamptz,
  ordered_at   timestamptz not null default now(),
  deleted_at   timestamptz,
  -- Of an order by two owners: when its cooling is over.
  not_before   timestamptz not null default now(),
  primary key (contract_id, job_id)
);
-- One of each kind that is not over: a second order joins the first.
create unique index partial_purge_one on postern.partial_purge (contract_id, basis) where step not in ('done', 'abandoned');

grant select, insert, update, delete on postern.partial_purge to postern_keeper;
-- Which jobs there are, and no more: at its start it holds them against the notes of the share store.
grant select (contract_id, job_id) on postern.partial_purge, postern.erasure to postern_edge, postern_directory;
