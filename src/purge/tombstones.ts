/**
 * What keeps the dead dead. The share store, which no backup covers, holds a tombstone of every purged contract; a database that was restored from
 * before the purge has the contract alive again. Nothing of it opens (its share is gone), and nothing is served over it until it was purged again.
 * Replaying is that: the rows, share A, any job of before; then it stands as purged. The log that was restored with it is not touched: it is halted at
 * its anchor, and whoever holds checkpoints of after knows what it said.
 */
import { type ContractId, inTurn } from "../kernel/index.ts";
import { destroyShareA, type ShareStore } from "../keys/index.ts";
import type { Queryable } from "../storage/index.ts";
import type { PurgeParts } from "./parts.ts";
import { dyingStores } from "./plan.ts";
import { countRows, type DeletedBatch, deleteRows } from "./postgres.ts";

const batchRows = 5_000;

export interface Revived {
  readonly contract: ContractId;
  /** As the database has it. */
  readonly state: string;
  /** Since when it should be dead, ISO 8601. */
  readonly buried: string;
}

/** Contracts that the share store has buried and the database has alive. */
export async function selectRevived(database: Queryable, shares: Pick<ShareStore, "buried">): Promise<Revived[]> {
  const buried = await shares.buried();
  if (buried.size === 0) return [];
  const rows = await database.query(
    `select contract_id, state, now() from postern.contract
     where state not in ('purging', 'purged') and contract_id in (select jsonb_array_elements_text($1::text::jsonb)) order by contract_id`,
    [JSON.stringify([...buried.keys()])],
  );
  return rows.map(([contract, state]) => ({
    contract: String(contract) as ContractId,
    state: String(state),
    buried: buried.get(String(contract)) ?? "",
  }));
}

export interface Replay extends Revived {
  /** Rows per dying table that go. */
  readonly rows: Readonly<Record<string, number>>;
}

/** What a replay would delete; changes nothing. */
export async function planReplay({ database, shares }: Pick<PurgeParts, "database" | "shares">): Promise<Replay[]> {
  const replays: Replay[] = [];
  for (const revived of await selectRevived(database, shares)) {
    replays.push({ ...revived, rows: await countRows(database, revived.contract) });
  }
  return replays;
}

/**
 * Crash order: the entry, then share A, then the rows, and the state last, so that whoever looks finds the contract revived until all of it is done;
 * each part is idempotent.
 */
export async function replayTombstones(parts: PurgeParts): Promise<Replay[]> {
  const replays = await planReplay(parts);
  await inTurn(replays, async ({ contract, state, buried, rows }) => {
    const { database, audit, logs } = parts;
    const outcome = { effect: "allow", code: "purge" } as const;
    const facts = { contract, state, buried, rows: { ...rows } };
    await audit.append(await logs.gateway(database), { event: "purge.replayed", actor: { role: "system" }, outcome, facts });
    await database.transaction((tx) => destroyShareA(tx, contract));
    for (const table of dyingStores) {
      let after: DeletedBatch["last"] = null;
      do after = (await database.transaction((tx) => deleteRows(tx, table, contract, { after, limit: batchRows }))).last;
      while (after !== null);
    }
    await database.transaction(async (tx) => {
      await tx.query("delete from postern.purge_job where contract_id = $1 and step <> 'certified'", [contract]);
      await tx.query("update postern.contract set state = 'purged' where contract_id = $1", [contract]);
    });
  });
  return replays;
}

/** A row where none may be any more. */
export interface Tripped {
  readonly contract: ContractId;
  /** The table with the row; `postern.contract`: the contract itself is alive again. */
  readonly table: string;
}

/** Looks whether anything of a purged contract is there again: one probe of an index for each contract and table. */
export async function selectTripped(database: Queryable, shares: Pick<ShareStore, "buried">): Promise<Tripped[]> {
  const tripped: Tripped[] = (await selectRevived(database, shares)).map(({ contract }) => ({ contract, table: "postern.contract" }));
  for (const table of dyingStores) {
    const rows = await database.query(
      `select c.contract_id, now() from postern.contract c
       cross join lateral (select from ${table} t where t.contract_id = c.contract_id limit 1) found where c.state = 'purged'`,
    );
    tripped.push(...rows.map(([contract]) => ({ contract: String(contract) as ContractId, table })));
  }
  return tripped;
}

const againMs = 86_400_000;

/**
 * Alarms: an entry in the gateway log for each place that is tripped, once a day as long as it stands. `alarmed`: when each was told of last, which a
 * process keeps; another one, or the next, says it once more.
 */
export async function sweepTripwires(parts: PurgeParts, alarmed: Map<string, number>): Promise<readonly Tripped[]> {
  const { database, shares, audit, logs } = parts;
  const tripped = await selectTripped(database, shares);
  for (const { contract, table } of tripped) {
    const name = `${contract}/${table}`;
    if ((alarmed.get(name) ?? 0) > Date.now() - againMs) continue;
    const outcome = { effect: "deny", code: "contract_purged" } as const;
    const facts = { contract, table };
    await audit.append(await logs.gateway(database), { event: "purge.tripwire", actor: { role: "system" }, outcome, facts });
    alarmed.set(name, Date.now());
  }
  return tripped;
}
