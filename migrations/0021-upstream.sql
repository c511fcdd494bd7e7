-- Merchants' own APIs, by contract: how each is asked, and with what. The credential is sealed and bound to the text beside it.

create table postern.connector (
  contract_id   text not null references postern.contract,
  name          text not null,
  compiled      text not null,
  credential    bytea not null,
  registered_at timestamptz not null default now(),
  primary key (contract_id, name)
);
alter table postern.connector alter column credential set statistics 0;

grant select on postern.connector to postern_edge;
grant select, insert, update on postern.connector to postern_directory;
grant select, insert, update, delete on postern.connector to postern_keeper;
