/** The tables of contracts and their compiled bundles. */
import { and, eq, inArray, ne, type SQL, sql } from "drizzle-orm";
import { leaseEnd, leaseIsFree } from "../jobs/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { ContractState, Term } from "./ladder.ts";
import { holdStandsOn } from "./postgres-holds.ts";
import { bundle, contract, proposal } from "./schema.ts";

export interface Contract extends Term {
  readonly id: ContractId;
  readonly merchant: string;
  readonly vendor: string;
  readonly purgeDueAt: number;
  /** `null` = it is not. */
  readonly suspendedAt: number | null;
  readonly bundleDigest: string;
  /** A legal hold stands: whatever the ladder says, nothing is deleted. */
  readonly held: boolean;
  /** The first share of its keys is destroyed, or about to be. */
  readonly irrevocable: boolean;
  /** The database's clock when this was read, milliseconds. */
  readonly readAt: number;
}

export interface NewContract {
  readonly id: ContractId;
  readonly merchant: string;
  readonly vendor: string;
  /** ISO 8601, UTC. */
  readonly startsAt: string;
  readonly endsAt: string;
  readonly purgeDueAt: string;
  readonly bundleDigest: string;
  readonly compiled: string;
}

const columns = {
  id: contract.contractId,
  merchant: contract.merchant,
  vendor: contract.vendor,
  state: contract.state,
  startsAt: epochMs(contract.startsAt),
  endsAt: epochMs(contract.endsAt),
  purgeDueAt: epochMs(contract.purgeDueAt),
  suspended: sql<boolean>`${contract.suspendedAt} is not null`,
  suspendedAt: sql<number | null>`${epochMs(contract.suspendedAt)}`,
  bundleDigest: contract.bundleDigest,
  held: holdStandsOn("contract.contract_id"),
  irrevocable: sql<boolean>`${contract.irrevocableAt} is not null`,
  readAt: databaseNowMs,
};

function branded(row: Omit<Contract, "id"> & { id: string }): Contract {
  return { ...row, id: row.id as ContractId };
}

export async function selectContract(database: Queryable, id: ContractId): Promise<Contract | null> {
  const [row] = await orm(database).select(columns).from(contract).where(eq(contract.contractId, id));
  return row ? branded(row) : null;
}

/** The same, and the row stays locked for the rest of the transaction. `share` lets others read-lock it too. */
export async function lockContract(tx: Queryable, id: ContractId, strength: "share" | "update"): Promise<Contract | null> {
  const [row] = await orm(tx).select(columns).from(contract).where(eq(contract.contractId, id)).for(strength);
  return row ? branded(row) : null;
}

/** `lockContract(tx, id, "share")` for whoever may not change contracts: Postgres lets nobody else lock a row, so a function of the owner's does it. */
export async function shareContract(tx: Queryable, id: ContractId): Promise<Contract | null> {
  await tx.query("select postern.share_contract($1), now()", [id]);
  return selectContract(tx, id);
}

export async function selectContractsOf(database: Queryable, merchant: string): Promise<Contract[]> {
  const rows = await orm(database).select(columns).from(contract).where(eq(contract.merchant, merchant)).orderBy(contract.contractId);
  return rows.map(branded);
}

/** A vendor's contracts, but for drafts. */
export async function selectContractsWith(database: Queryable, vendor: string): Promise<Contract[]> {
  const rows = await orm(database)
    .select(columns)
    .from(contract)
    .where(and(eq(contract.vendor, vendor), ne(contract.state, "draft")))
    .orderBy(contract.contractId);
  return rows.map(branded);
}

/** Contracts in force, or ended, whose purge has not begun. */
export async function selectInUse(database: Queryable): Promise<Contract[]> {
  const rows = await orm(database)
    .select(columns)
    .from(contract)
    .where(sql`${contract.state} in ('active', 'ended')`)
    .orderBy(contract.contractId);
  return rows.map(branded);
}

/** Ended contracts that are due for their purge and not held. */
export async function selectPurgeDue(database: Queryable): Promise<Contract[]> {
  const rows = await orm(database)
    .select(columns)
    .from(contract)
    .where(sql`${contract.state} = 'ended' and ${contract.purgeDueAt} <= now() and not ${holdStandsOn("contract.contract_id")}`)
    .orderBy(contract.contractId);
  return rows.map(branded);
}

/** Writes a draft, or replaces one. Answers false where the id belongs to a contract that is no longer a draft, or to another merchant's. */
export async function putDraft(tx: Queryable, draft: NewContract): Promise<boolean> {
  const { id, compiled, ...row } = draft;
  const written = await orm(tx)
    .insert(contract)
    .values({ contractId: id, state: "draft", ...row })
    .onConflictDoUpdate({
      target: contract.contractId,
      set: row,
      setWhere: sql`${contract.state} = 'draft' and ${contract.merchant} = ${draft.merchant}`,
    })
    .returning({ id: contract.contractId });
  if (written.length === 0) return false;
  await orm(tx).delete(bundle).where(eq(bundle.contractId, id));
  await orm(tx).insert(bundle).values({ contractId: id, digest: draft.bundleDigest, compiled });
  return true;
}

/** Moves a contract up its ladder if it stands where the caller believes. */
export async function moveState(tx: Queryable, id: ContractId, from: ContractState, to: ContractState): Promise<boolean> {
  const moved = await orm(tx)
    .update(contract)
    .set({ state: to })
    .where(and(eq(contract.contractId, id), eq(contract.state, from)))
    .returning({ id: contract.contractId });
  return moved.length === 1;
}

/** From here no hold is placed. Answers false where one stands: then nothing was changed. Under the contract's row lock. */
export async function makeIrrevocable(tx: Queryable, id: ContractId): Promise<boolean> {
  const made = await orm(tx)
    .update(contract)
    .set({ irrevocableAt: sql`coalesce(${contract.irrevocableAt}, now())` })
    .where(and(eq(contract.contractId, id), sql`not ${holdStandsOn("contract.contract_id")}`))
    .returning({ id: contract.contractId });
  return made.length === 1;
}

/** Contracts in force whose end is near and was not announced yet: to this caller for `leaseMs`. The dates are those of `windsDownAt`. */
export async function takeUnannounced(database: Queryable, leaseMs: number): Promise<Contract[]> {
  const { state, startsAt, endsAt, noticedFor } = contract;
  return takeToTell(
    database,
    leaseMs,
    sql`${state} = 'active' and ${noticedFor} is distinct from ${endsAt} and ${endsAt} > now()
      and ${endsAt} - least(interval '720 hours', (${endsAt} - ${startsAt}) / 2) <= now()`,
  );
}

/** Contracts whose end has come and is not stored yet: to this caller for `leaseMs`. */
export async function takeEnded(database: Queryable, leaseMs: number): Promise<Contract[]> {
  return takeToTell(database, leaseMs, sql`${contract.state} = 'active' and ${contract.endsAt} <= now()`);
}

/** One whose log has no entry yet: to this caller for `leaseMs`, or until it gives it back. `null` = another one has it. */
export async function takeUnopened(database: Queryable, id: ContractId, leaseMs: number): Promise<Contract | null> {
  return (await takeToTell(database, leaseMs, eq(contract.contractId, id)))[0] ?? null;
}

export async function giveBack(database: Queryable, { id }: Pick<Contract, "id">): Promise<void> {
  await orm(database).update(contract).set({ toldUntil: null }).where(eq(contract.contractId, id));
}

/** At once, so that they are told within a lease. */
const toldMax = 20;

async function takeToTell(database: Queryable, leaseMs: number, isDue: SQL): Promise<Contract[]> {
  const due = and(isDue, leaseIsFree(contract.toldUntil));
  const some = orm(database).select({ id: contract.contractId }).from(contract).where(due).orderBy(contract.contractId).limit(toldMax);
  const rows = await orm(database)
    .update(contract)
    .set({ toldUntil: leaseEnd(leaseMs) })
    .where(and(due, inArray(contract.contractId, some)))
    .returning(columns);
  return rows.map(branded);
}

/** Notes that the log was told of its end, if it is still that end: that it is near, or that it came. */
export async function noteTold(tx: Queryable, { id, endsAt }: Pick<Contract, "id" | "endsAt">, what: "near" | "come"): Promise<void> {
  const noted = what === "near" ? { noticedFor: sql`${contract.endsAt}` } : { state: "ended" as const };
  await orm(tx)
    .update(contract)
    .set({ ...noted, toldUntil: null })
    .where(and(eq(contract.contractId, id), eq(contract.state, "active"), sql`${epochMs(contract.endsAt)} = ${endsAt}::float8`));
}

/** Agents are cut off, or let in again. */
export async function setSuspended(tx: Queryable, id: ContractId, suspended: boolean): Promise<void> {
  await orm(tx)
    .update(contract)
    .set({ suspendedAt: suspended ? sql`now()` : null })
    .where(eq(contract.contractId, id));
}

/** What two owners are asked to agree to. `terms`: the text of `digest`. */
export async function putProposal(tx: Queryable, id: ContractId, { digest, terms }: { digest: string; terms: string }): Promise<void> {
  await orm(tx).insert(proposal).values({ contractId: id, digest, terms }).onConflictDoNothing();
}

/** `null` = nobody asked for this. */
export async function selectProposal(database: Queryable, id: ContractId, digest: string): Promise<string | null> {
  const [row] = await orm(database)
    .select({ terms: proposal.terms, readAt: databaseNowMs })
    .from(proposal)
    .where(and(eq(proposal.contractId, id), eq(proposal.digest, digest)));
  return row?.terms ?? null;
}

/** Sets the instants of the end. */
export async function moveEnd(tx: Queryable, id: ContractId, endsAt: string, purgeDueAt: string): Promise<void> {
  await orm(tx).update(contract).set({ endsAt, purgeDueAt }).where(eq(contract.contractId, id));
}

/** Keeps a bundle beside those that are or were in force: the log names them all. */
export async function putBundle(tx: Queryable, id: ContractId, { digest, compiled }: { digest: string; compiled: string }): Promise<void> {
  await orm(tx).insert(bundle).values({ contractId: id, digest, compiled }).onConflictDoNothing();
}

/** Puts another bundle in force, if `from` is the one that is. */
export async function moveBundle(tx: Queryable, id: ContractId, from: string, to: string): Promise<boolean> {
  const moved = await orm(tx)
    .update(contract)
    .set({ bundleDigest: to })
    .where(and(eq(contract.contractId, id), eq(contract.bundleDigest, from)))
    .returning({ id: contract.contractId });
  return moved.length === 1;
}

/** Of every bundle that is, was, or was asked to be in force. */
export async function selectBundleDigests(database: Queryable, id: ContractId): Promise<string[]> {
  const rows = await orm(database)
    .select({ digest: bundle.digest, readAt: databaseNowMs })
    .from(bundle)
    .where(eq(bundle.contractId, id))
    .orderBy(bundle.digest);
  return rows.map(({ digest }) => digest);
}

export async function selectBundle(database: Queryable, id: ContractId, digest: string): Promise<string | null> {
  const [row] = await orm(database)
    .select({ compiled: bundle.compiled, readAt: databaseNowMs })
    .from(bundle)
    .where(and(eq(bundle.contractId, id), eq(bundle.digest, digest)));
  return row?.compiled ?? null;
}
