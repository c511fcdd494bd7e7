/** The table of erased data subjects. Every write of a running job checks its fence: a worker that lost its lease changes nothing. */
import { and, eq, sql } from "drizzle-orm";
import { LeaseLost, leaseEnd, leaseIsFree } from "../jobs/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { erasure } from "./schema.ts";

export interface Erasure {
  readonly contract: ContractId;
  readonly id: string;
  /** The keyed name of the data subject, and the type of the record that stands for them. */
  readonly subject: string;
  readonly type: string;
  /** `abandoned`: the contract's purge came first, and destroyed everybody's keys. */
  readonly step: "requested" | "erased" | "done" | "abandoned";
  /** The last under which the subject's key can have been wrapped; `null` = not erased yet. */
  readonly epoch: number | null;
  readonly records: number;
  readonly indexRows: number;
  readonly fence: number;
  /** Milliseconds. */
  readonly orderedAt: number;
  readonly erasedAt: number | null;
  readonly readAt: number;
}

const columns = {
  contract: erasure.contractId,
  id: erasure.jobId,
  subject: erasure.subject,
  type: erasure.type,
  step: erasure.step,
  epoch: erasure.epoch,
  records: erasure.records,
  indexRows: erasure.indexRows,
  fence: erasure.fence,
  orderedAt: epochMs(erasure.orderedAt),
  erasedAt: sql<number | null>`${epochMs(erasure.erasedAt)}`,
  readAt: databaseNowMs,
};

export async function selectErasure(database: Queryable, contract: ContractId, id: string): Promise<Erasure | null> {
  const [row] = await orm(database)
    .select(columns)
    .from(erasure)
    .where(and(eq(erasure.contractId, contract), eq(erasure.jobId, id)));
  return row ? branded(row) : null;
}

/** The last time that this subject was erased, or is being erased; `null` = never. */
export async function selectErasureOf(database: Queryable, contract: ContractId, subject: string): Promise<Erasure | null> {
  const [row] = await orm(database)
    .select(columns)
    .from(erasure)
    .where(and(eq(erasure.contractId, contract), eq(erasure.subject, subject)))
    .orderBy(sql`${erasure.jobId} desc`)
    .limit(1);
  return row ? branded(row) : null;
}

export async function selectRunnable(database: Queryable): Promise<Erasure[]> {
  const rows = await orm(database)
    .select(columns)
    .from(erasure)
    .where(sql`${erasure.step} not in ('done', 'abandoned')`)
    .orderBy(erasure.jobId);
  return rows.map(branded);
}

/** One under way a subject: a second one is not written. */
export async function insertErasure(
  tx: Queryable,
  { contract, id, subject, type }: Pick<Erasure, "contract" | "id" | "subject" | "type">,
): Promise<void> {
  await orm(tx).insert(erasure).values({ contractId: contract, jobId: id, subject, type, step: "requested" }).onConflictDoNothing();
}

/** One that was done, of which this database knew nothing any more. */
export async function insertReplayedErasure(
  tx: Queryable,
  { contract, id, ...done }: Pick<Erasure, "contract" | "id" | "subject" | "type" | "epoch" | "records" | "indexRows">,
): Promise<void> {
  await orm(tx)
    .insert(erasure)
    .values({ contractId: contract, jobId: id, ...done, step: "done", erasedAt: sql`now()` });
}

/** Takes the lease and a new fence. `null` = another worker holds it. */
export async function claimErasure(database: Queryable, job: Erasure, leaseMs: number): Promise<Erasure | null> {
  const [row] = await orm(database)
    .update(erasure)
    .set({ fence: sql`${erasure.fence} + 1`, leaseUntil: leaseEnd(leaseMs) })
    .where(and(named(job), leaseIsFree(erasure.leaseUntil)))
    .returning(columns);
  return row ? branded(row) : null;
}

/** Throws LeaseLost, which rolls back the transaction around it. */
export async function writeErasure(
  tx: Queryable,
  job: Erasure,
  change: Pick<Erasure, "step"> & Partial<Pick<Erasure, "epoch" | "records" | "indexRows">>,
): Promise<Erasure> {
  const at = change.step === "erased" ? { erasedAt: sql`now()` } : {};
  const [row] = await orm(tx)
    .update(erasure)
    .set({ ...change, ...at })
    .where(and(named(job), eq(erasure.fence, job.fence)))
    .returning(columns);
  if (!row) throw new LeaseLost();
  return branded(row);
}

/** `leaseMs` null: gives it back. Throws LeaseLost where it is another's, unless it is given back. */
export async function renewErasure(database: Queryable, job: Erasure, leaseMs: number | null): Promise<void> {
  const renewed = await orm(database)
    .update(erasure)
    .set({ leaseUntil: leaseMs === null ? null : leaseEnd(leaseMs) })
    .where(and(named(job), eq(erasure.fence, job.fence)))
    .returning({ id: erasure.jobId });
  if (renewed.length === 0 && leaseMs !== null) throw new LeaseLost();
}

function named({ contract, id }: Pick<Erasure, "contract" | "id">) {
  return and(eq(erasure.contractId, contract), eq(erasure.jobId, id));
}

function branded(row: Omit<Erasure, "contract"> & { contract: string }): Erasure {
  return { ...row, contract: row.contract as ContractId };
}
