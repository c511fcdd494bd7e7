/** The table of what lapsed. Every write of a running job checks its fence: a worker that lost its lease changes nothing. */
import { and, eq, sql } from "drizzle-orm";
import { LeaseLost, leaseEnd, leaseIsFree } from "../jobs/index.ts";
import type { ContractId } from "../kernel/index.ts";
import type { AgeRules } from "../records/index.ts";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { partialPurge } from "./schema.ts";

export interface Lapse {
  readonly contract: ContractId;
  readonly id: string;
  readonly basis: "retention";
  /** `abandoned`: the contract's purge came first. */
  readonly step: "requested" | "deleted" | "done" | "abandoned";
  readonly rules: AgeRules;
  readonly records: number;
  readonly indexRows: number;
  /** Of subjects of whom nothing was left. */
  readonly subjectKeys: number;
  /** The last under which one of those keys can have been wrapped; `null` = none went. */
  readonly epoch: number | null;
  readonly fence: number;
}

const columns = {
  contract: partialPurge.contractId,
  id: partialPurge.jobId,
  basis: partialPurge.basis,
  step: partialPurge.step,
  rules: partialPurge.rules,
  records: partialPurge.records,
  indexRows: partialPurge.indexRows,
  subjectKeys: partialPurge.subjectKeys,
  epoch: partialPurge.epoch,
  fence: partialPurge.fence,
  readAt: databaseNowMs,
};

export async function selectRunnableLapses(database: Queryable): Promise<Lapse[]> {
  const rows = await orm(database)
    .select(columns)
    .from(partialPurge)
    .where(sql`${partialPurge.step} not in ('done', 'abandoned')`)
    .orderBy(partialPurge.jobId);
  return rows.map(shaped);
}

/** One under way a contract: a second one is not written. */
export async function insertLapse(database: Queryable, { contract, id, basis, rules }: Pick<Lapse, "contract" | "id" | "basis" | "rules">) {
  const row = { contractId: contract, jobId: id, basis, step: "requested", rules: JSON.stringify(rules) } as const;
  await orm(database).insert(partialPurge).values(row).onConflictDoNothing();
}

/** One that was done, of which this database knew nothing any more. */
export async function insertReplayedLapse(tx: Queryable, { contract, id, rules, ...done }: Omit<Lapse, "step" | "fence">): Promise<void> {
  await orm(tx)
    .insert(partialPurge)
    .values({ contractId: contract, jobId: id, rules: JSON.stringify(rules), ...done, step: "done", deletedAt: sql`now()` });
}

/** Takes the lease and a new fence. `null` = another worker holds it. */
export async function claimLapse(database: Queryable, job: Lapse, leaseMs: number): Promise<Lapse | null> {
  const [row] = await orm(database)
    .update(partialPurge)
    .set({ fence: sql`${partialPurge.fence} + 1`, leaseUntil: leaseEnd(leaseMs) })
    .where(and(named(job), leaseIsFree(partialPurge.leaseUntil)))
    .returning(columns);
  return row ? shaped(row) : null;
}

/** Throws LeaseLost, which rolls back the transaction around it. */
export async function writeLapse(
  tx: Queryable,
  job: Lapse,
  change: Partial<Pick<Lapse, "step" | "records" | "indexRows" | "subjectKeys" | "epoch">>,
): Promise<Lapse> {
  const at = change.step === "deleted" ? { deletedAt: sql`now()` } : {};
  const [row] = await orm(tx)
    .update(partialPurge)
    .set({ ...change, ...at })
    .where(and(named(job), eq(partialPurge.fence, job.fence)))
    .returning(columns);
  if (!row) throw new LeaseLost();
  return shaped(row);
}

/** `leaseMs` null: gives it back. Throws LeaseLost where it is another's, unless it is given back. */
export async function renewLapse(database: Queryable, job: Lapse, leaseMs: number | null): Promise<void> {
  const renewed = await orm(database)
    .update(partialPurge)
    .set({ leaseUntil: leaseMs === null ? null : leaseEnd(leaseMs) })
    .where(and(named(job), eq(partialPurge.fence, job.fence)))
    .returning({ id: partialPurge.jobId });
  if (renewed.length === 0 && leaseMs !== null) throw new LeaseLost();
}

function named({ contract, id }: Pick<Lapse, "contract" | "id">) {
  return and(eq(partialPurge.contractId, contract), eq(partialPurge.jobId, id));
}

function shaped({ readAt: _, ...row }: Omit<Lapse, "contract" | "rules"> & { contract: string; rules: string; readAt: number }): Lapse {
  return { ...row, contract: row.contract as ContractId, rules: JSON.parse(row.rules) as AgeRules };
}
