-- Break-glass (docs/BREAK-GLASS.md): a seat that two owners let work for one purpose, on one person's records, for a while. It is the request that they
-- decided. type, subject: whose records, by its locator. opened_at: when the second owner approved; closed_at: an owner ended it before its time.
-- told: what the log says of it already. taken_until: until when one process owes it an entry.
create table postern.break_glass (
  contract_id      text not null references postern.contract,
  approval_id      text not null,
  seat_issuer      text not null,
  seat_subject     text not null,
  purpose          text not null,
  type             text not null,
  subject          text not null,
  minutes          integer not null check (minutes between 1 and 240),
  opened_at        timestamptz,
  expires_at       timestamptz check ((expires_at is null) = (opened_at is null)),
  closed_at        timestamptz check (closed_at < expires_at),
  told             text not null default 'nothing' check (told in ('nothing', 'ended', 'review_missing')),
  taken_until      timestamptz,
  finding          text check (finding in ('justified', 'unjustified')),
  reviewed_issuer  text check ((reviewed_issuer is null) = (finding is null)),
  reviewed_subject text check ((reviewed_subject is null) = (finding is null)),
  reviewed_at      timestamptz check ((reviewed_at is null) = (finding is null)),
  primary key (contract_id, approval_id),
  foreign key (contract_id, approval_id) references postern.approval
);
alter table postern.break_glass alter subject set statistics 0;

grant select, insert, update, delete on postern.break_glass to postern_keeper;
-- Whether one is open for whoever asks, and for whose records.
grant select (contract_id, approval_id, seat_issuer, seat_subject, purpose, subject, expires_at, closed_at) on postern.break_glass to postern_edge;
