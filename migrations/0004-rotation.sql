-- Keys that move: epochs that come and go, the rotation that moves what is wrapped under them, and data subjects who were erased alone.

-- retired: nothing is wrapped under it any more and nobody opens it. destroyed: both shares are gone.
alter table postern.key_epoch
  add column created_at   timestamptz not null default now(),
  add column retired_at   timestamptz,
  add column destroyed_at timestamptz;

-- after: the last subject whose key was rewrapped.
create table postern.rotation (
  contract_id text not null references postern.contract,
  job_id      text not null,
  epoch       int not null,
  step        text not null,
  after       text not null default '',
  rewrapped   bigint not null default 0,
  fence       int not null default 0,
  lease_until timestamptz,
  facts       text not null,
  created_at  timestamptz not null default now(),
  primary key (contract_id, job_id)
);
-- One that moves at a time: a second request joins the first.
create unique index rotation_one on postern.rotation (contract_id) where step not in ('share_a', 'abandoned');

-- subject: the keyed name of who was erased. epoch: the last under which their key can have been wrapped.
create table postern.erasure (
  contract_id text not null references postern.contract,
  job_id      text not null,
  subject     text not null,
  type        text not null,
  step        text not null,
  epoch       int,
  records     bigint not null default 0,
  index_rows  bigint not null default 0,
  fence       int not null default 0,
  lease_until timestamptz,
  ordered_at  timestamptz not null default now(),
  erased_at   timestamptz,
  primary key (contract_id, job_id)
);
create unique index erasure_one on postern.erasure (contract_id, subject) where step not in ('done', 'abandoned');

-- Whose records these are: asked by who erases one person.
-- No subject is empty: only a statement that says so may use this index (0001, blind_index_by_record).
create index record_by_subject on postern.record (contract_id, subject) where subject > '';

alter table postern.rotation alter after set statistics 0;
alter table postern.erasure alter subject set statistics 0;

grant select, insert, update, delete on postern.rotation, postern.erasure to postern_keeper;
