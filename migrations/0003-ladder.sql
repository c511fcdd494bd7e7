-- What keeps a contract's data from its end: legal holds.

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

grant select, insert, update, delete on postern.hold to postern_keeper;
