/** The keyring's tables. Everything here is wrapped; nothing here opens anything. */
import { and, eq, lt, sql } from "drizzle-orm";
import { toBase64 } from "../crypto/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { WrappedKey, WrappedPurposeKey } from "./contract-keys.ts";
import { auditKey, contractKey, keyEpoch } from "./schema.ts";

export interface KeyEpoch {
  readonly epoch: number;
  /** `null` = destroyed. */
  readonly shareA: Uint8Array | null;
  readonly commitmentA: string;
  readonly commitmentB: string;
  /** Milliseconds. */
  readonly createdAt: number;
  /** Nothing is wrapped under it from then on; `null` = in use. */
  readonly retiredAt: number | null;
  /** Both shares are gone; `null` = not yet. */
  readonly destroyedAt: number | null;
  /** `null` = the merchant held no share when the epoch was made. */
  readonly commitmentC: string | null;
}

export async function selectKeyEpochs(database: Queryable, contract: ContractId): Promise<KeyEpoch[]> {
  return orm(database)
    .select({
      epoch: keyEpoch.epoch,
      shareA: keyEpoch.shareA,
      commitmentA: keyEpoch.commitmentA,
      commitmentB: keyEpoch.commitmentB,
      createdAt: epochMs(keyEpoch.createdAt),
      retiredAt: sql<number | null>`${epochMs(keyEpoch.retiredAt)}`,
      destroyedAt: sql<number | null>`${epochMs(keyEpoch.destroyedAt)}`,
      commitmentC: keyEpoch.commitmentC,
      readAt: databaseNowMs,
    })
    .from(keyEpoch)
    .where(eq(keyEpoch.contractId, contract))
    .orderBy(keyEpoch.epoch);
}

/** Whose share C a contract's key has, if it has one. */
export async function selectMerchant(database: Queryable, contract: ContractId): Promise<string> {
  const [row] = await database.query("select merchant, now() from postern.contract where contract_id = $1", [contract]);
  return String(row?.[0] ?? "");
}

/** 0 = the contract has no keys. */
export async function newestEpoch(database: Queryable, contract: ContractId): Promise<number> {
  return (await selectKeyEpochs(database, contract)).at(-1)?.epoch ?? 0;
}

export async function insertKeyEpoch(
  tx: Queryable,
  row: Pick<KeyEpoch, "epoch" | "shareA" | "commitmentA" | "commitmentB"> & { contract: ContractId },
): Promise<void> {
  const { contract, ...rest } = row;
  await orm(tx)
    .insert(keyEpoch)
    .values({ contractId: contract, ...rest });
}

/** Takes share A out of the rows, of all epochs or of those before one; the commitments stay. No fault if it was gone already. */
export async function destroyShareA(tx: Queryable, contract: ContractId, before?: number): Promise<void> {
  await orm(tx)
    .update(keyEpoch)
    .set({ shareA: null, destroyedAt: sql`coalesce(${keyEpoch.destroyedAt}, now())` })
    .where(and(eq(keyEpoch.contractId, contract), before === undefined ? undefined : lt(keyEpoch.epoch, before)));
}

export async function selectContractKeys(database: Queryable, contract: ContractId): Promise<Map<string, WrappedPurposeKey>> {
  const { purpose, epoch, wrapped, generation } = contractKey;
  const rows = await orm(database)
    .select({ purpose, epoch, wrapped, generation, readAt: databaseNowMs })
    .from(contractKey)
    .where(eq(contractKey.contractId, contract));
  return new Map(rows.map((row) => [row.purpose, row]));
}

export async function insertContractKeys(
  tx: Queryable,
  { contract, epoch, generation }: { readonly contract: ContractId; readonly epoch: number; readonly generation: number },
  keys: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const rows = [...keys].map(([purpose, wrapped]) => ({ contractId: contract, purpose, epoch, wrapped, generation }));
  await orm(tx).insert(contractKey).values(rows);
}

/** One statement and two parameters, however many keys. Those that stand are left as they are, so that two imports agree on one key per subject. */
export async function insertSubjectKeys(tx: Queryable, contract: ContractId, keys: ReadonlyMap<string, WrappedKey>): Promise<void> {
  if (keys.size === 0) return;
  const rows = [...keys].map(([subject, { epoch, wrapped }]) => ({ subject, epoch, wrapped: toBase64(wrapped) }));
  await tx.query(
    `insert into postern.subject_key (contract_id, subject, epoch, wrapped)
     select $1, k.subject, k.epoch, decode(k.wrapped, 'base64') from jsonb_to_recordset($2::text::jsonb) as k(subject text, epoch int, wrapped text)
     on conflict do nothing`,
    [contract, JSON.stringify(rows)],
  );
}

/**
 * A look into the primary key for each, whatever the planner believes: a plan that was made while the table was empty, and kept by the connection, otherwise
 * reads all of the contract's keys for each that is asked for, and an import becomes slower with every line.
 */
export async function selectSubjectKeys(
  database: Queryable,
  contract: ContractId,
  subjects: readonly string[],
): Promise<Map<string, WrappedKey>> {
  const rows = await database.query(
    `select k.subject, k.epoch, k.wrapped, now() from jsonb_array_elements_text($2::text::jsonb) as asked(subject)
     cross join lateral (select s.subject, s.epoch, s.wrapped from postern.subject_key s
       where s.contract_id = $1 and s.subject = asked.subject limit 1) k`,
    [contract, JSON.stringify(subjects)],
  );
  return new Map(
    rows.map(([subject, epoch, wrapped]) => [
      String(subject),
      { epoch: Number(epoch), wrapped: wrapped instanceof Uint8Array ? wrapped : new Uint8Array() },
    ]),
  );
}

export async function insertAuditKey(tx: Queryable, log: string, purpose: string, wrapped: Uint8Array): Promise<void> {
  await orm(tx).insert(auditKey).values({ log, purpose, wrapped }).onConflictDoNothing();
}

export async function selectAuditKey(database: Queryable, log: string, purpose: string): Promise<Uint8Array | null> {
  const rows = await orm(database)
    .select({ wrapped: auditKey.wrapped, readAt: databaseNowMs })
    .from(auditKey)
    .where(and(eq(auditKey.log, log), eq(auditKey.purpose, purpose)));
  return rows[0]?.wrapped ?? null;
}
