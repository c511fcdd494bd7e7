-- From how many networks a seat is used at a time: a row a minute for each, for ten minutes; and how much it asks for in vain. The edge adds and looks; it
-- changes nothing.

-- network, token: keyed hashes of the address's prefix and the token's id. noted: not a use, but that the log was told.
create table postern.seat_use (
  contract_id text not null references postern.contract,
  issuer      text not null,
  subject     text not null,
  seen_at     timestamptz not null default now(),
  network     text not null,
  country     text,
  token       text not null,
  noted       boolean not null default false,
  primary key (contract_id, issuer, subject, seen_at, network)
);
create index on postern.seat_use (seen_at);
alter table postern.seat_use alter network set statistics 0, alter token set statistics 0;

-- How much a seat asked for that is not there: a row for each ten, for ten minutes. noted: no misses, but that the log was told.
create table postern.seat_miss (
  contract_id text not null references postern.contract,
  issuer      text not null,
  subject     text not null,
  count_id    uuid not null default gen_random_uuid(),
  seen_at     timestamptz not null default now(),
  misses      integer not null,
  noted       boolean not null default false,
  primary key (contract_id, issuer, subject, count_id)
);
create index on postern.seat_miss (seen_at);

grant select, insert on postern.seat_use, postern.seat_miss to postern_edge;
grant select, insert, update, delete on postern.seat_use, postern.seat_miss to postern_keeper;
