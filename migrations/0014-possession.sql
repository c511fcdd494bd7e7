-- Proofs of possession (DPoP) that were shown, each once, for as long as they could be fresh. Not a contract's: who shows one is known only after it.

-- proof: of the key's thumbprint and the proof's jti.
create table postern.spent_proof (
  proof      text primary key,
  expires_at timestamptz not null
);
create index on postern.spent_proof (expires_at);

grant select (proof), insert on postern.spent_proof to postern_edge;
grant select (proof), insert on postern.spent_proof to postern_directory;
grant select, insert, update, delete on postern.spent_proof to postern_keeper;
