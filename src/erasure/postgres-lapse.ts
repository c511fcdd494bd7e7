/** The table of what lapsed. Every write of a running job checks its fence: a worker that lost its lease changes nothing. */
import { and, eq, sql } from "drizzle-orm";
import { LeaseLost, leaseEnd, leaseIsFree } from "../jobs/index.ts";
import type { ContractId } from "../kernel/index.ts";
import type { AgeRules } from "../records/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { partialPurge } from "./schema.ts";

export interface Lapse {
  readonly contract: ContractId;
  readonly id: string;
  /** `owners`: two of them ordered it. */
  readonly basis: "retention" | "owners";
  /** `asked`: waits for the second owner. `abandoned`: the contract's purge came first. */
  readonly step: "asked" | "requested" | "deleted" | "done" | "abandoned";
  readonly rules: AgeRules;
  readonly records: number;
  readonly indexRows: number;
  /** Of subjects of whom nothing was left. */
  readonly subjectKeys: number;
  /** The last under which one of those keys can have been wrapped; `null` = none went. */
  readonly epoch: number | null;
  /** Milliseconds. */
  readonly notBefore: number;
  readonly deletedAt: number | null;
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
  notBefore: epochMs(partialPurge.notBefore),
  deletedAt: sql<number | null>`${epochMs(partialPurge.deletedAt)}`,
  fence: partialPurge.fence,
  readAt: databaseNowMs,
};

export async function selectRunnableLapses(database: Queryable): Promise<Lapse[]> {
  const rows = await orm(database)
    .select(columns)
    .from(partialPurge)
    .where(sql`${partialPurge.step} not in ('asked', 'done', 'abandoned') and ${partialPurge.notBefore} <= now()`)
    .orderBy(partialPurge.jobId);
  return rows.map(shaped);
}

export async function selectLapse(database: Queryable, contract: ContractId, id: string): Promise<Lapse | null> {
  const [row] = await orm(database).select(columns).from(partialPurge).where(named({ contract, id }));
  return row ? shaped(row) : null;
}

/** The owners' that is not over. */
export async function selectOrdered(database: Queryable, contract: ContractId): Promise<Lapse | null> {
  const [row] = await orm(database)
    .select(columns)
    .from(partialPurge)
    .where(
      and(
        eq(partialPurge.contractId, contract),
        sql`${partialPurge.basis} = 'owners' and ${partialPurge.step} not in ('done', 'abandoned')`,
      ),
    );
  return row ? shaped(row) : null;
}

/** One that waits for its second owner makes room for another. */
export async function dropAsked(tx: Queryable, { contract, id }: Pick<Lapse, "contract" | "id">): Promise<void> {
  await orm(tx)
    .delete(partialPurge)
    .where(and(named({ contract, id }), eq(partialPurge.step, "asked")));
}

/** The second owner has approved. Answers false where it does not wait for that. */
export async function approveLapse(tx: Queryable, { contract, id }: Pick<Lapse, "contract" | "id">, notBefore: number): Promise<boolean> {
  const moved = await orm(tx)
    .update(partialPurge)
    .set({ step: "requested", notBefore: new Date(notBefore).toISOString() })
    .where(and(named({ contract, id }), eq(partialPurge.step, "asked")))
    .returning({ id: partialPurge.jobId });
  return moved.length === 1;
}

/** One of its kind that is not over a contract: a second one is not written. */
export async function insertLapse(
  database: Queryable,
  { contract, id, basis, rules, step }: Pick<Lapse, "contract" | "id" | "basis" | "rules" | "step">,
): Promise<void> {
  const row = { contractId: contract, jobId: id, basis, step, rules: JSON.stringify(rules) } as const;
  await orm(database).insert(partialPurge).values(row).onConflictDoNothing();
}

/** One that was done, of which this database knew nothing any more. */
export async function insertReplayedLapse(
  tx: Queryable,
  { contract, id, rules, ...done }: Omit<Lapse, "step" | "fence" | "notBefore" | "deletedAt">,
): Promise<void> {
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
