-- Who and what is refused everywhere from the next request on, and seats that were taken from one person. Read with every request, by both sides.

-- issuer: empty for a vendor. name: the person's subject, the token's jti, the key's kid, the vendor's id; empty for a whole issuer.
-- expires_at: a token's own end is before it; then the row has done its service.
create table postern.revocation (
  kind          text not null check (kind in ('person', 'token', 'key', 'issuer', 'vendor')),
  issuer        text not null,
  name          text not null,
  revocation_id text not null unique,
  reason        text not null,
  revoked_at    timestamptz not null default now(),
  expires_at    timestamptz,
  primary key (kind, issuer, name)
);
create index on postern.revocation (expires_at);

alter table postern.seat add column revoked_at timestamptz;

grant select (kind, issuer, name) on postern.revocation to postern_edge;
grant select, insert, delete on postern.revocation to postern_directory;
grant select, insert, update, delete on postern.revocation to postern_keeper;
