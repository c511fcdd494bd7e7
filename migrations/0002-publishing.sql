-- Publishing apart from numbering: cosignatures of witnesses, and what the keeper notes of each log for itself and for the edge.

-- line: a signature line of C2SP signed-note, with its newline; it stands under the checkpoint's own. witness: its key's name and hash.
create table audit.cosignature (
  log     text not null,
  size    bigint not null,
  witness text not null,
  line    text not null,
  primary key (log, size, witness)
);
create trigger append_only before update or delete or truncate on audit.cosignature for each statement execute function audit.refuse_change();
alter table audit.cosignature enable always trigger append_only;

-- Proves nothing, so that it may be changed: with every row gone, a log that was published goes on.
-- numbered_until: whatever was accepted before has its place. seal: the sequencer's signature over what is numbered and not published yet.
-- halted: why nothing is numbered. announced: the size that the root log was last told of, and when.
create table audit.upkeep (
  log            text primary key,
  numbered_until timestamptz,
  seal           bytea,
  halted         text,
  announced      bigint not null default 0,
  announced_at   timestamptz
);

grant select on audit.cosignature, audit.upkeep to postern_reader, postern_sequencer;
grant insert on audit.cosignature, audit.upkeep to postern_sequencer;
grant update on audit.upkeep to postern_sequencer;
-- The edge stops disclosing where an entry waits too long: it sees how far the numbering is, and the names of the flushes that wait.
grant select (log, numbered_until, halted) on audit.upkeep to postern_edge;
grant select on audit.pending to postern_edge;
-- The directory tells in /readyz what its entries meet.
grant select (log, numbered_until, halted) on audit.upkeep to postern_directory;
grant select on audit.pending to postern_directory;

-- The contract that an entry of the gateway log names, for its merchant's officers; null in every contract's own log.
alter table audit.search add column contract text;
create index search_by_contract on audit.search (log, contract, index) where contract is not null;
