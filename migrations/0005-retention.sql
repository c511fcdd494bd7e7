-- Retention: the oldest months of a log go, whole flushes at a time, and nothing younger than the floor, whoever asks.

-- Entries below this place are gone. The tree's hashes of them stay in audit.subtree: later proofs need them.
alter table audit.log add min_index bigint not null default 0 check (min_index >= 0 and min_index % 256 = 0);

-- What a log is being pruned of, or was last. The word that counts is the entry audit.pruned, in the log entry_log.
-- root: of the tree of the first first_kept entries. carried: writers that go on behind them, and with which number.
-- proof_…: the entry that speaks for audit.log.min_index as it is; moved with it.
create table audit.pruning (
  log         text primary key,
  month       text not null,
  first_kept  bigint not null,
  root        bytea not null,
  carried     text not null,
  entry_log   text not null,
  entry_id    text,
  done        boolean not null,
  lease_until timestamptz,
  proof_log   text,
  proof_id    text
);

-- Three years: records of processing (PIPL 55-56). The owner alone can replace it, and does so in demos and tests only.
create function audit.retention_floor() returns interval language sql immutable as $$ select interval '36 months' $$;

-- The name that a flush of the youngest moment has which is past the floor: names are UUIDv7 and rise with time.
create function audit.newest_prunable() returns text language sql stable as $$
  select left(hex, 8) || '-' || right(hex, 4)
  from (select lpad(to_hex((extract(epoch from now() - audit.retention_floor()) * 1000)::bigint), 12, '0') as hex) past
$$;

-- Lets go what lies below the first kept place and is past the floor by the name that its writer gave it when it was accepted. Flushes go before their places.
create function audit.refuse_delete() returns trigger language plpgsql as $$
declare
  young text := audit.newest_prunable();
  refused boolean;
begin
  if tg_table_name = 'flush' then
    select exists (
      select from gone g left join audit.log l on l.log = g.log left join audit.seq s on s.log = g.log and s.flush_id = g.flush_id
      where not coalesce(s.index + octet_length(s.leaf_hashes) / 32 <= l.min_index
        and g.flush_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7' and g.flush_id collate "C" < young collate "C", false)) into refused;
  else
    select exists (
      select from gone g left join audit.log l on l.log = g.log
      where not coalesce(g.index + octet_length(g.leaf_hashes) / 32 <= l.min_index
        and g.flush_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7' and g.flush_id collate "C" < young collate "C", false)) into refused;
  end if;
  if refused then
    raise exception 'audit.% is append-only', tg_table_name using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;
do $$
declare name text;
begin
  foreach name in array array['flush', 'seq'] loop
    execute format('drop trigger append_only on audit.%I', name);
    execute format('create trigger append_only before update or truncate on audit.%I for each statement execute function audit.refuse_change()', name);
    execute format('create trigger append_only_but_pruned after delete on audit.%I referencing old table as gone for each statement execute function audit.refuse_delete()', name);
    execute format('alter table audit.%I enable always trigger append_only, enable always trigger append_only_but_pruned', name);
  end loop;
end $$;

-- Does what the row in audit.pruning says, once its entry stands. The key of a month's details goes with the month, for good. Nothing else of a log is
-- removed anywhere. Twice is once.
create function audit.prune(pruned_log text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked audit.pruning;
  kept bigint;
  size bigint;
begin
  select l.min_index, l.size into kept, size from audit.log l where log = pruned_log for update;
  select * into asked from audit.pruning where log = pruned_log for update;
  if kept is null or asked.entry_id is null or asked.done then return; end if;
  if asked.month !~ '^[0-9]{4}-(0[1-9]|1[0-2])$' or asked.first_kept < kept or asked.first_kept > size
    or (to_date(asked.month, 'YYYY-MM') + interval '1 month') at time zone 'utc' + audit.retention_floor() > now() then
    raise exception 'what is younger than the floor, or gone, is not pruned' using errcode = 'insufficient_privilege';
  end if;
  delete from postern.audit_key where log = pruned_log and purpose = asked.month;
  update audit.pruning set done = true, lease_until = null, proof_log = entry_log, proof_id = entry_id where log = pruned_log;
  if asked.first_kept = kept then return; end if;
  update audit.log set min_index = asked.first_kept where log = pruned_log;
  delete from audit.search where log = pruned_log and index < asked.first_kept;
  delete from audit.search_subject where log = pruned_log and index < asked.first_kept;
  delete from audit.search_fields f where log = pruned_log
    and not exists (select from audit.search s where s.log = pruned_log and s.fields_id = f.fields_id);
  delete from audit.flush f using audit.seq s where s.log = pruned_log and s.index < asked.first_kept
    and s.index + octet_length(s.leaf_hashes) / 32 <= asked.first_kept and f.log = pruned_log and f.flush_id = s.flush_id;
  delete from audit.seq where log = pruned_log and index < asked.first_kept
    and index + octet_length(leaf_hashes) / 32 <= asked.first_kept;
end $$;

revoke execute on function audit.prune(text) from public;
grant execute on function audit.prune(text) to postern_keeper;
grant select on audit.pruning to postern_reader, postern_sequencer;
grant insert, update on audit.pruning to postern_sequencer;
-- The first kept place is moved by the function alone, and a month's key destroyed by it.
revoke update on audit.log from postern_sequencer;
grant update (origin, state, size, root, range) on audit.log to postern_sequencer;
revoke update, delete on postern.audit_key from postern_keeper;
