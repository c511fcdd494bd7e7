/** The keyring's tables as a rotation moves them from epoch to epoch, and as one data subject's key leaves them. */
import { and, eq, isNull, lt, sql } from "drizzle-orm";
import { toBase64 } from "../crypto/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import type { KeyPurpose, WrappedKey, WrappedPurposeKey } from "./contract-keys.ts";
import { contractKey, keyEpoch, subjectKey } from "./schema.ts";

export interface Wrapped {
  readonly subjects: number;
  readonly purposes: number;
}

/** How many keys are wrapped under each epoch. An epoch under which there are none is not named. */
export async function countWrapped(database: Queryable, contract: ContractId): Promise<Map<number, Wrapped>> {
  const rows = await database.query(
    `select epoch, sum(subjects)::float8, sum(purposes)::float8, now() from (
       select epoch, count(*) as subjects, 0 as purposes from postern.subject_key where contract_id = $1 group by epoch
       union all select epoch, 0, count(*) from postern.contract_key where contract_id = $1 group by epoch) counted
     group by epoch order by epoch`,
    [contract],
  );
  return new Map(rows.map(([epoch, subjects, purposes]) => [Number(epoch), { subjects: Number(subjects), purposes: Number(purposes) }]));
}

/** Subjects' keys in the order of their names, from behind `after`; locked for the rest of the transaction. */
export async function lockSubjectKeys(
  tx: Queryable,
  contract: ContractId,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<Map<string, WrappedKey>> {
  const rows = await orm(tx)
    .select({ subject: subjectKey.subject, epoch: subjectKey.epoch, wrapped: subjectKey.wrapped, readAt: databaseNowMs })
    .from(subjectKey)
    .where(sql`${subjectKey.contractId} = ${contract} and ${subjectKey.subject} > ${after}`)
    .orderBy(subjectKey.subject)
    .limit(limit)
    .for("update");
  return new Map(rows.map((row) => [row.subject, row]));
}

/** Puts other wrappings in the place of those that `lockSubjectKeys` locked. */
export async function moveSubjectKeys(tx: Queryable, contract: ContractId, keys: ReadonlyMap<string, WrappedKey>): Promise<void> {
  if (keys.size === 0) return;
  const rows = [...keys].map(([subject, { epoch, wrapped }]) => ({ subject, epoch, wrapped: toBase64(wrapped) }));
  await tx.query(
    `update postern.subject_key k set epoch = moved.epoch, wrapped = decode(moved.wrapped, 'base64')
     from jsonb_to_recordset($2::text::jsonb) as moved(subject text, epoch int, wrapped text)
     where k.contract_id = $1 and k.subject = moved.subject`,
    [contract, JSON.stringify(rows)],
  );
}

export async function movePurposeKey(tx: Queryable, contract: ContractId, purpose: KeyPurpose, key: WrappedPurposeKey): Promise<void> {
  const { epoch, wrapped, generation } = key;
  await orm(tx)
    .update(contractKey)
    .set({ epoch, wrapped, generation })
    .where(and(eq(contractKey.contractId, contract), eq(contractKey.purpose, purpose)));
}

/** Whoever opens the contract's keys from then on has one index key. */
export async function dropIndexBeside(tx: Queryable, contract: ContractId): Promise<void> {
  await orm(tx)
    .delete(contractKey)
    .where(and(eq(contractKey.contractId, contract), eq(contractKey.purpose, "index_beside")));
}

/** From then on nobody opens the epochs before `epoch`. */
export async function retireEpochsBefore(tx: Queryable, contract: ContractId, epoch: number): Promise<void> {
  await orm(tx)
    .update(keyEpoch)
    .set({ retiredAt: sql`now()` })
    .where(and(eq(keyEpoch.contractId, contract), lt(keyEpoch.epoch, epoch), isNull(keyEpoch.retiredAt)));
}

/** Answers the epoch under which it was wrapped; `null` = there was none. */
export async function deleteSubjectKey(tx: Queryable, contract: ContractId, subject: string): Promise<number | null> {
  const [row] = await orm(tx)
    .delete(subjectKey)
    .where(and(eq(subjectKey.contractId, contract), eq(subjectKey.subject, subject)))
    .returning({ epoch: subjectKey.epoch });
  return row?.epoch ?? null;
}

/** The keys of several. `epoch`: the latest under which one of them was wrapped; `null` = none was there. */
export async function deleteSubjectKeys(
  tx: Queryable,
  contract: ContractId,
  subjects: readonly string[],
): Promise<{ readonly keys: number; readonly epoch: number | null }> {
  const gone = await tx.query(
    `delete from postern.subject_key where contract_id = $1 and subject in (select jsonb_array_elements_text($2::text::jsonb)) returning epoch`,
    [contract, JSON.stringify(subjects)],
  );
  return { keys: gone.length, epoch: gone.length === 0 ? null : Math.max(...gone.map(([epoch]) => Number(epoch))) };
}
