-- What data subjects ask for (PIPL 44-47, GDPR 15-17): who is named by keyed hash, what they said is sealed under their own key.

create table postern.subject_request (
  contract_id text not null references postern.contract,
  request_id  text not null,
  kind        text not null check (kind in ('access', 'correction', 'erasure')),
  type        text not null,
  locator     text not null,
  subject     text not null,
  note        bytea,
  received_at timestamptz not null,
  due_at      timestamptz not null,
  outcome     text check (outcome in ('done', 'refused')),
  closed_at   timestamptz,
  primary key (contract_id, request_id)
);
alter table postern.subject_request alter locator set statistics 0, alter subject set statistics 0, alter note set statistics 0;

grant select, insert, update, delete on postern.subject_request to postern_keeper;
-- An agent hands on what the customer asks for, and sees no request, not even that one, again.
grant insert on postern.subject_request to postern_edge;
