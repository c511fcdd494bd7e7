/** The purge's tables, and the deletions. Every write of a running job checks its fence: a worker that lost its lease changes nothing. */
import { and, eq, isNull, sql } from "drizzle-orm";
import { holdStandsOn } from "../contracts/index.ts";
import type { SealingKey } from "../crypto/index.ts";
import { LeaseLost, leaseEnd, leaseIsFree } from "../jobs/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { type Cell, databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { type DyingStore, dyingStores, isStep, type Step, stores } from "./plan.ts";
import { certificate, purgeJob } from "./schema.ts";

/** What the job has found out; part of the certificate. */
export interface Facts {
  /** Rows per dying table when the fence stood. */
  readonly before?: Readonly<Record<string, number>>;
  /** Shares that stood then: without one the sweep was never seen to find a share. */
  readonly shares?: { readonly share_a: number; readonly share_b: number };
  /** What the sweep's looks showed of themselves, and who looked. */
  readonly swept?: {
    readonly catalogue: { readonly registered: number; readonly seen: number };
    readonly control: { readonly planted: number; readonly seen: number };
    readonly tool: string;
  };
  /** Commitments to the merchant's own shares that it says are gone. */
  readonly shareC?: readonly string[];
  /** Rows deleted so far, for progress. */
  readonly deleted?: Readonly<Record<string, number>>;
  /** ISO 8601, by the database's clock. */
  readonly times: Readonly<Record<string, string>>;
  /** Asked for with the purge itself, whatever the contract says. */
  readonly returnTo?: { readonly to: SealingKey; readonly waitHours: number };
  readonly returned?: Returned;
  /** What the vendor had said of each system when the log was closed: the certificate's word. Absent = the contract names no systems. */
  readonly attested?: readonly Attested[];
}

export interface Attested {
  readonly system: string;
  /** `null` = not received. */
  readonly attestation: {
    readonly digest: string;
    readonly signer: string;
    /** Under the vendor's key that the contract names. */
    readonly signed: boolean;
    readonly evidence: string | null;
    readonly recorded: string;
  } | null;
}

/** What was sealed for the merchant so far. */
export interface Returned {
  /** RFC 7638 thumbprint of the merchant's key. */
  readonly key?: string;
  readonly parts: number;
  readonly records: number;
  /** Of those, records that did not open. */
  readonly unreadable: number;
  /** The last record in a part. */
  readonly after?: { readonly type: string; readonly locator: string };
  /** Of the sealed manifest: everything is sealed. */
  readonly digest?: string;
  /** ISO 8601: when an owner said that it arrived. */
  readonly acknowledged?: string;
  /** How it ended. */
  readonly outcome?: "acknowledged" | "not_acknowledged" | "keys_unavailable";
}

export interface PurgeJob {
  readonly contract: ContractId;
  readonly id: string;
  readonly basis: "term_ended" | "owners";
  readonly step: Step;
  /** Milliseconds: the cooling period's end. */
  readonly notBefore: number;
  readonly fence: number;
  readonly facts: Facts;
  readonly readAt: number;
}

const columns = {
  contract: purgeJob.contractId,
  id: purgeJob.jobId,
  basis: purgeJob.basis,
  step: purgeJob.step,
  notBefore: epochMs(purgeJob.notBefore),
  fence: purgeJob.fence,
  facts: purgeJob.facts,
  readAt: databaseNowMs,
};

export async function selectJob(database: Queryable, contract: ContractId): Promise<PurgeJob | null> {
  const [row] = await orm(database).select(columns).from(purgeJob).where(eq(purgeJob.contractId, contract));
  return row ? shaped(row) : null;
}

/** Jobs that are approved, past their cooling and not at their end. A hold keeps a job from running on; past the point of no return there is none. */
export async function selectRunnable(database: Queryable): Promise<PurgeJob[]> {
  const rows = await orm(database)
    .select(columns)
    .from(purgeJob)
    .where(
      sql`${purgeJob.step} not in ('requested', 'certified') and ${purgeJob.notBefore} <= now() and not ${holdStandsOn("purge_job.contract_id")}`,
    )
    .orderBy(purgeJob.contractId);
  return rows.map(shaped);
}

/** One job a contract: a second one is not written. Answers whether this one was. */
export async function insertJob(
  tx: Queryable,
  job: Pick<PurgeJob, "contract" | "id" | "basis" | "step" | "notBefore" | "facts">,
): Promise<boolean> {
  const { contract, id, basis, step, notBefore, facts } = job;
  const written = await orm(tx)
    .insert(purgeJob)
    .values({ contractId: contract, jobId: id, basis, step, notBefore: new Date(notBefore).toISOString(), facts: JSON.stringify(facts) })
    .onConflictDoNothing()
    .returning({ id: purgeJob.jobId });
  return written.length === 1;
}

/** From requested to approved. */
export async function approveJob(
  tx: Queryable,
  contract: ContractId,
  approved: Pick<PurgeJob, "basis" | "notBefore" | "facts">,
): Promise<boolean> {
  const { basis, notBefore, facts } = approved;
  const moved = await orm(tx)
    .update(purgeJob)
    .set({ step: "approved", basis, notBefore: new Date(notBefore).toISOString(), facts: JSON.stringify(facts) })
    .where(and(eq(purgeJob.contractId, contract), eq(purgeJob.step, "requested")))
    .returning({ id: purgeJob.jobId });
  return moved.length === 1;
}

/** Takes the lease and a new fence. `null` = another worker holds it. */
export async function claimJob(database: Queryable, contract: ContractId, leaseMs: number): Promise<PurgeJob | null> {
  const [row] = await orm(database)
    .update(purgeJob)
    .set({ fence: sql`${purgeJob.fence} + 1`, leaseUntil: leaseEnd(leaseMs) })
    .where(and(eq(purgeJob.contractId, contract), leaseIsFree(purgeJob.leaseUntil)))
    .returning(columns);
  return row ? shaped(row) : null;
}

/** Renews the lease and writes what changed. Throws LeaseLost, which rolls back the transaction around it. */
export async function writeJob(tx: Queryable, job: PurgeJob, change: { step?: Step; facts?: Facts }, leaseMs: number): Promise<PurgeJob> {
  const { step = job.step, facts = job.facts } = change;
  const [row] = await orm(tx)
    .update(purgeJob)
    .set({ step, facts: JSON.stringify(facts), leaseUntil: step === "certified" ? null : leaseEnd(leaseMs) })
    .where(and(eq(purgeJob.contractId, job.contract), eq(purgeJob.fence, job.fence)))
    .returning(columns);
  if (!row) throw new LeaseLost();
  return shaped(row);
}

/** Keeps the lease while an act is under way. Throws LeaseLost. */
export async function renewLease(database: Queryable, job: PurgeJob, leaseMs: number): Promise<void> {
  const renewed = await orm(database)
    .update(purgeJob)
    .set({ leaseUntil: leaseEnd(leaseMs) })
    .where(and(eq(purgeJob.contractId, job.contract), eq(purgeJob.fence, job.fence)))
    .returning({ id: purgeJob.jobId });
  if (renewed.length === 0) throw new LeaseLost();
}

/** Gives the lease back early, so that whoever comes next need not wait. */
export async function releaseJob(database: Queryable, job: PurgeJob): Promise<void> {
  await orm(database)
    .update(purgeJob)
    .set({ leaseUntil: null })
    .where(and(eq(purgeJob.contractId, job.contract), eq(purgeJob.fence, job.fence)));
}

/** Keeps a certificate that stands. `horizonAt`: milliseconds, when the second one is due. */
export async function insertCertificate(
  tx: Queryable,
  { contract, id }: Pick<PurgeJob, "contract" | "id">,
  { jws, horizonAt }: { readonly jws: string; readonly horizonAt: number },
): Promise<void> {
  const row = { contractId: contract, jobId: id, jws, horizonAt: new Date(horizonAt).toISOString() };
  await orm(tx).insert(certificate).values(row).onConflictDoNothing();
}

/** `final`: from the moment when it is signed, which is before the log says so; `isFinal`: the log says so. */
export interface StoredCertificates {
  readonly first: string;
  readonly final: string | null;
  readonly isFinal: boolean;
}

export async function selectCertificates(
  database: Queryable,
  { contract, id }: Pick<PurgeJob, "contract" | "id">,
): Promise<StoredCertificates | null> {
  const [row] = await orm(database)
    .select({ first: certificate.jws, final: certificate.finalJws, closedAt: certificate.closedAt, readAt: databaseNowMs })
    .from(certificate)
    .where(and(eq(certificate.contractId, contract), eq(certificate.jobId, id)));
  return row ? { first: row.first, final: row.final, isFinal: row.closedAt !== null } : null;
}

/** Contracts whose backup horizon has passed, by the database's clock, and whose second certificate is not in the log yet. */
export async function selectHorizonsPassed(database: Queryable): Promise<ContractId[]> {
  const rows = await orm(database)
    .select({ contract: certificate.contractId, readAt: databaseNowMs })
    .from(certificate)
    .where(sql`${certificate.closedAt} is null and ${certificate.horizonAt} <= now()`)
    .orderBy(certificate.contractId);
  return rows.map((row) => row.contract as ContractId);
}

/** Keeps one that stands. */
export async function storeFinalCertificate(
  tx: Queryable,
  { contract, id }: Pick<PurgeJob, "contract" | "id">,
  jws: string,
): Promise<void> {
  await orm(tx)
    .update(certificate)
    .set({ finalJws: jws })
    .where(and(eq(certificate.contractId, contract), eq(certificate.jobId, id), isNull(certificate.finalJws)));
}

export async function closeCertificate(tx: Queryable, { contract, id }: Pick<PurgeJob, "contract" | "id">): Promise<void> {
  await orm(tx)
    .update(certificate)
    .set({ closedAt: sql`now()` })
    .where(and(eq(certificate.contractId, contract), eq(certificate.jobId, id)));
}

/** Rows of the contract in every table that dies. */
export async function countRows(database: Queryable, contract: ContractId): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of dyingStores) {
    const [row] = await database.query(`select count(*)::float8, now() from ${table} where contract_id = $1`, [contract]);
    counts[table] = Number(row?.[0] ?? 0);
  }
  return counts;
}

export interface DeletedBatch {
  readonly count: number;
  /** The key of its last row: where the next batch goes on, so that none walks over what the ones before it left dead. `null` = nothing was there. */
  readonly last: readonly Cell[] | null;
}

/** Deletes at most `limit` rows of the contract, in the order of their key, from behind `after` on. `table` is one of the registry's, never a caller's text. */
export async function deleteRows(
  tx: Queryable,
  table: DyingStore,
  contract: ContractId,
  { after = null, limit }: { readonly after?: readonly Cell[] | null; readonly limit: number },
): Promise<DeletedBatch> {
  const { key } = stores[table];
  const columns = key.join(", ");
  const behind = after === null ? "" : `and (${columns}) > (${key.map((_, i) => `$${i + 2}`).join(", ")})`;
  const [row] = await tx.query(
    `with doomed as materialized (
       select ctid as place, ${columns} from ${table} where contract_id = $1 ${behind} order by ${columns} limit ${limit}
     ), gone as (delete from ${table} where contract_id = $1 and ctid = any (array(select place from doomed)) returning 1)
     select (select count(*)::int from gone), ${columns} from doomed order by ${key.map((column) => `${column} desc`).join(", ")} limit 1`,
    [contract, ...(after ?? [])],
  );
  const [count, ...last] = row ?? [0];
  return { count: Number(count), last: row ? last : null };
}

/** Every table in the catalogue that has a contract's or a log's rows. */
export async function selectContractTables(database: Queryable): Promise<string[]> {
  const rows = await database.query(
    `select distinct n.nspname || '.' || c.relname as name, now()
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'm') and not a.attisdropped and a.attname in ('contract_id', 'log')
       and n.nspname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  return rows.map(([name]) => String(name));
}

function shaped(row: Omit<PurgeJob, "contract" | "step" | "facts"> & { contract: string; step: string; facts: string }): PurgeJob {
  if (!isStep(row.step)) throw new Error("a purge job stands at an unknown step");
  return { ...row, contract: row.contract as ContractId, step: row.step, facts: JSON.parse(row.facts) as Facts };
}
