/** The table of four-eyes requests. */
import { and, eq, inArray, or, sql } from "drizzle-orm";
import { leaseEnd, leaseIsFree } from "../jobs/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { Approval, ApprovalAction, Person, Verdict } from "./approval.ts";
import { approval } from "./schema.ts";

export interface NewApproval {
  readonly contract: ContractId;
  readonly id: string;
  readonly action: ApprovalAction;
  readonly digest: string;
  readonly by: Person;
  /** Milliseconds. */
  readonly expiresAt: number;
  readonly reason: string | null;
}

const columns = {
  id: approval.approvalId,
  contract: approval.contractId,
  action: approval.action,
  digest: approval.digest,
  state: approval.state,
  requestedIssuer: approval.requestedIssuer,
  requestedSubject: approval.requestedSubject,
  requestedAt: epochMs(approval.requestedAt),
  expiresAt: epochMs(approval.expiresAt),
  decidedIssuer: approval.decidedIssuer,
  decidedSubject: approval.decidedSubject,
  decidedAt: sql<number | null>`${epochMs(approval.decidedAt)}`,
  reason: approval.reason,
  decidedReason: approval.decidedReason,
  readAt: databaseNowMs,
};

export async function selectApproval(database: Queryable, contract: ContractId, id: string): Promise<Approval | null> {
  const [row] = await orm(database)
    .select(columns)
    .from(approval)
    .where(and(eq(approval.contractId, contract), eq(approval.approvalId, id)));
  return row ? shaped(row) : null;
}

/** The same, and the row stays locked for the rest of the transaction. */
export async function lockApproval(tx: Queryable, contract: ContractId, id: string): Promise<Approval | null> {
  const [row] = await orm(tx)
    .select(columns)
    .from(approval)
    .where(and(eq(approval.contractId, contract), eq(approval.approvalId, id)))
    .for("update");
  return row ? shaped(row) : null;
}

export async function insertApproval(tx: Queryable, row: NewApproval): Promise<void> {
  const { contract, id, by, expiresAt, action, digest, reason } = row;
  await orm(tx)
    .insert(approval)
    .values({
      contractId: contract,
      approvalId: id,
      action,
      digest,
      state: "requested",
      requestedIssuer: by.issuer,
      requestedSubject: by.subject,
      expiresAt: new Date(expiresAt).toISOString(),
      reason,
    });
}

export async function updateDecision(
  tx: Queryable,
  found: Approval,
  { by, verdict, reason }: { readonly by: Person; readonly verdict: Verdict; readonly reason: string | null },
): Promise<void> {
  const decided = { decidedIssuer: by.issuer, decidedSubject: by.subject, decidedAt: new Date(found.readAt).toISOString() };
  await orm(tx)
    .update(approval)
    .set({ state: verdict, decidedReason: reason, takenUntil: null, ...decided })
    .where(and(eq(approval.contractId, found.contract), eq(approval.approvalId, found.id)));
}

/** Of those who decide one request at once, the first, for `leaseMs`. False: another one does, or it is no longer open. */
export async function takeDecision(database: Queryable, { contract, id }: Approval, leaseMs: number): Promise<boolean> {
  const isOpen = and(eq(approval.state, "requested"), sql`${approval.expiresAt} > now()`, leaseIsFree(approval.takenUntil));
  const rows = await orm(database)
    .update(approval)
    .set({ takenUntil: leaseEnd(leaseMs) })
    .where(and(eq(approval.contractId, contract), eq(approval.approvalId, id), isOpen))
    .returning({ id: approval.approvalId, readAt: databaseNowMs });
  return rows.length > 0;
}

/** At once, so that their entries are written within a lease. */
const expiredMax = 20;

/** Ends what nobody decided in its time, and what ended without its entry. What it answers owes one, to this caller for `leaseMs`. */
export async function takeExpired(database: Queryable, leaseMs: number): Promise<Approval[]> {
  const overdue = and(eq(approval.state, "requested"), sql`${approval.expiresAt} <= now()`, leaseIsFree(approval.takenUntil));
  const due = or(overdue, and(eq(approval.state, "expired"), sql`${approval.takenUntil} < now()`));
  const some = orm(database).select({ id: approval.approvalId }).from(approval).where(due).orderBy(approval.approvalId).limit(expiredMax);
  const rows = await orm(database)
    .update(approval)
    .set({ state: "expired", takenUntil: leaseEnd(leaseMs) })
    .where(and(due, inArray(approval.approvalId, some)))
    .returning(columns);
  return rows.map(shaped);
}

/** Whoever took it is done with it; what became of it meanwhile is another's. */
export async function letGo(database: Queryable, { contract, id, state }: Approval): Promise<void> {
  await orm(database)
    .update(approval)
    .set({ takenUntil: null })
    .where(and(eq(approval.contractId, contract), eq(approval.approvalId, id), eq(approval.state, state)));
}

/** Those of the given contracts, newest last. */
export async function selectApprovals(database: Queryable, contracts: readonly ContractId[]): Promise<Approval[]> {
  if (contracts.length === 0) return [];
  const rows = await orm(database)
    .select(columns)
    .from(approval)
    .where(inArray(approval.contractId, [...contracts]))
    .orderBy(approval.approvalId);
  return rows.map(shaped);
}

function shaped(row: {
  id: string;
  contract: string;
  action: ApprovalAction;
  digest: string;
  state: Approval["state"];
  requestedIssuer: string;
  requestedSubject: string;
  requestedAt: number;
  expiresAt: number;
  decidedIssuer: string | null;
  decidedSubject: string | null;
  decidedAt: number | null;
  reason: string | null;
  decidedReason: string | null;
  readAt: number;
}): Approval {
  const { requestedIssuer, requestedSubject, decidedIssuer, decidedSubject, ...rest } = row;
  return {
    ...rest,
    contract: row.contract as ContractId,
    requestedBy: { issuer: requestedIssuer, subject: requestedSubject },
    decidedBy: decidedIssuer !== null && decidedSubject !== null ? { issuer: decidedIssuer, subject: decidedSubject } : null,
  };
}
