/** The table of rotations. Every write of a running job checks its fence: a worker that lost its lease changes nothing. */
import { and, eq, sql } from "drizzle-orm";
import { LeaseLost, leaseEnd, leaseIsFree } from "../jobs/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { isOver, isStep, type Step } from "./plan.ts";
import { rotation } from "./schema.ts";

export interface Facts {
  /** ISO 8601, by the database's clock: `requested`, and each act's end. */
  readonly times: Readonly<Record<string, string>>;
  /** Subjects' keys when the new epoch stood. */
  readonly subjects?: number;
  /** Absent: the index key stays. */
  readonly index?: IndexFacts;
}

export interface IndexFacts {
  /** Of the new index key. */
  readonly generation: number;
  /** Records when the new epoch stood. */
  readonly records: number | null;
  /** Records that have their rows under the new key, by the policy of this digest; `null` = none yet. */
  readonly indexed: number;
  readonly digest: string | null;
  /** Rows of older keys that were deleted. */
  readonly dropped: number;
}

export interface Rotation {
  readonly contract: ContractId;
  readonly id: string;
  /** The one that it makes, or tries to. */
  readonly epoch: number;
  readonly step: Step;
  /** Where the act under way is: the last subject whose key was rewrapped, or the last record, as `type/locator`. */
  readonly after: string;
  readonly rewrapped: number;
  readonly fence: number;
  readonly facts: Facts;
  readonly createdAt: number;
  readonly readAt: number;
}

const columns = {
  contract: rotation.contractId,
  id: rotation.jobId,
  epoch: rotation.epoch,
  step: rotation.step,
  after: rotation.after,
  rewrapped: rotation.rewrapped,
  fence: rotation.fence,
  facts: rotation.facts,
  createdAt: epochMs(rotation.createdAt),
  readAt: databaseNowMs,
};

/** The one that is under way, or the last one that was; `null` = there was none. */
export async function selectRotation(database: Queryable, contract: ContractId): Promise<Rotation | null> {
  const [row] = await orm(database)
    .select(columns)
    .from(rotation)
    .where(eq(rotation.contractId, contract))
    .orderBy(sql`${rotation.epoch} desc`)
    .limit(1);
  return row ? shaped(row) : null;
}

export async function selectRunnable(database: Queryable): Promise<Rotation[]> {
  const rows = await orm(database)
    .select(columns)
    .from(rotation)
    .where(sql`${rotation.step} not in ('share_a', 'abandoned')`)
    .orderBy(rotation.contractId);
  return rows.map(shaped);
}

/** One under way a contract: a second one is not written. */
export async function insertRotation(tx: Queryable, job: Pick<Rotation, "contract" | "id" | "epoch" | "facts">): Promise<void> {
  const { contract, id, epoch, facts } = job;
  await orm(tx)
    .insert(rotation)
    .values({ contractId: contract, jobId: id, epoch, step: "requested", facts: JSON.stringify(facts) })
    .onConflictDoNothing();
}

/** Takes the lease and a new fence. `null` = another worker holds it. */
export async function claimRotation(database: Queryable, job: Rotation, leaseMs: number): Promise<Rotation | null> {
  const [row] = await orm(database)
    .update(rotation)
    .set({ fence: sql`${rotation.fence} + 1`, leaseUntil: leaseEnd(leaseMs) })
    .where(and(named(job), leaseIsFree(rotation.leaseUntil)))
    .returning(columns);
  return row ? shaped(row) : null;
}

/** Renews the lease and writes what changed. Throws LeaseLost, which rolls back the transaction around it. */
export async function writeRotation(
  tx: Queryable,
  job: Rotation,
  change: Partial<Pick<Rotation, "epoch" | "step" | "after" | "rewrapped" | "facts">>,
  leaseMs: number,
): Promise<Rotation> {
  const { epoch, step, after, rewrapped, facts } = { ...job, ...change };
  const [row] = await orm(tx)
    .update(rotation)
    .set({ epoch, step, after, rewrapped, facts: JSON.stringify(facts), leaseUntil: isOver(step) ? null : leaseEnd(leaseMs) })
    .where(and(named(job), eq(rotation.fence, job.fence)))
    .returning(columns);
  if (!row) throw new LeaseLost();
  return shaped(row);
}

/** `leaseMs` null: gives it back. Throws LeaseLost where it is another's, unless it is given back. */
export async function renewRotation(database: Queryable, job: Rotation, leaseMs: number | null): Promise<void> {
  const renewed = await orm(database)
    .update(rotation)
    .set({ leaseUntil: leaseMs === null ? null : leaseEnd(leaseMs) })
    .where(and(named(job), eq(rotation.fence, job.fence)))
    .returning({ id: rotation.jobId });
  if (renewed.length === 0 && leaseMs !== null) throw new LeaseLost();
}

function named({ contract, id }: Pick<Rotation, "contract" | "id">) {
  return and(eq(rotation.contractId, contract), eq(rotation.jobId, id));
}

function shaped(row: Omit<Rotation, "contract" | "step" | "facts"> & { contract: string; step: string; facts: string }): Rotation {
  if (!isStep(row.step)) throw new Error("a rotation stands at an unknown step");
  return { ...row, contract: row.contract as ContractId, step: row.step, facts: JSON.parse(row.facts) as Facts };
}
