-- When an upstream refused a connector's credential, for its owner to see: the edge adds a row and reads none. And connectors that are taken away.

create table postern.connector_refusal (
  contract_id text not null references postern.contract,
  name        text not null,
  refused_at  timestamptz not null default now(),
  primary key (contract_id, name, refused_at)
);

grant insert on postern.connector_refusal to postern_edge;
grant select, delete on postern.connector_refusal to postern_directory;
grant select, insert, update, delete on postern.connector_refusal to postern_keeper;
grant delete on postern.connector to postern_directory;
