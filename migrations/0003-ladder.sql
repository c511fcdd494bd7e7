-- What moves a contract's end, and what keeps its data from it: legal holds, agreed changes, the clock that is believed.

-- A hold stands until it is released or expires. scope: the whole contract; one data subject, named by its locator; one field of one type.
-- note and authority: an owner's words, so they die with the contract; the log has the rest.
create table postern.hold (
  contract_id    text not null references postern.contract,
  hold_id        text not null,
  scope          text not null check (scope in ('contract', 'subject', 'field')),
  type           text check ((type is null) = (scope = 'contract')),
  subject        text check ((subject is null) = (scope <> 'subject')),
  path           text check ((path is null) = (scope <> 'field')),
  basis          text not null check (basis in ('litigation', 'investigation', 'regulator_order', 'statutory_retention', 'dispute')),
  note           text not null,
  authority      text not null,
  placed_issuer  text not null,
  placed_subject text not null,
  placed_at      timestamptz not null default now(),
  expires_at     timestamptz,
  released_at    timestamptz,
  primary key (contract_id, hold_id)
);
alter table postern.hold alter subject set statistics 0;

-- What two owners were asked to agree to, word for word: canonical JSON under its SHA-256, which the approval names.
create table postern.proposal (
  contract_id text not null references postern.contract,
  digest      text not null,
  terms       text not null,
  primary key (contract_id, digest)
);

-- One row: how far the database's clock is believed. doubted_at: it leapt; nothing ends or is purged by it until steady_ms of real time have passed.
create table postern.clock (
  one          boolean primary key default true check (one),
  beat_at      timestamptz not null,
  doubted_from timestamptz,
  doubted_at   timestamptz check ((doubted_at is null) = (doubted_from is null)),
  steady_ms    bigint not null default 0
);

grant select, insert, update, delete on postern.hold, postern.proposal, postern.clock to postern_keeper;
-- Whether a hold stands belongs to what a contract is read with. Why, and on whom, does not.
grant select (contract_id, expires_at, released_at) on postern.hold to postern_directory;
