/** The table of legal holds. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { ContractId, Locator } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import { type Hold, type HoldScope, isStanding } from "./holds.ts";
import { hold } from "./schema.ts";

const columns = {
  id: hold.holdId,
  contract: hold.contractId,
  scope: hold.scope,
  type: hold.type,
  subject: hold.subject,
  path: hold.path,
  basis: hold.basis,
  note: hold.note,
  authority: hold.authority,
  placedIssuer: hold.placedIssuer,
  placedSubject: hold.placedSubject,
  placedAt: epochMs(hold.placedAt),
  expiresAt: sql<number | null>`${epochMs(hold.expiresAt)}`,
  releasedAt: sql<number | null>`${epochMs(hold.releasedAt)}`,
  readAt: databaseNowMs,
};

/** All of them, in the order in which they were placed. */
export async function selectHolds(database: Queryable, contract: ContractId): Promise<Hold[]> {
  const rows = await orm(database).select(columns).from(hold).where(eq(hold.contractId, contract)).orderBy(hold.holdId);
  return rows.map(({ placedIssuer, placedSubject, type, subject, path, ...row }) => ({
    ...row,
    contract: row.contract as ContractId,
    scope: scopeOf(row.scope, { type, subject, path }),
    placedBy: { issuer: placedIssuer, subject: placedSubject },
  }));
}

/** Those that forbid deleting now. Read under the contract's row lock, they stay until the lock is given back. */
export async function standingHolds(database: Queryable, contract: ContractId): Promise<Hold[]> {
  return (await selectHolds(database, contract)).filter(isStanding);
}

/** Does any hold stand anywhere? What is about several contracts, as the gateway's log is, is kept then. */
export async function anyHoldStands(database: Queryable): Promise<boolean> {
  const [row] = await database.query(`select exists (select from postern.hold h where ${standingText}), now()`);
  return row?.[0] === true;
}

const standingText = "h.released_at is null and (h.expires_at is null or h.expires_at > now())";

/** For a `where`: a hold stands on the contract that `column` names, as `purge_job.contract_id`. Never a caller's text. */
export function holdStandsOn(column: `${string}.contract_id`): SQL<boolean> {
  return sql<boolean>`exists (select from postern.hold h where h.contract_id = ${sql.raw(column)} and ${sql.raw(standingText)})`;
}

export async function insertHold(tx: Queryable, placed: Omit<Hold, "placedAt" | "releasedAt" | "readAt">): Promise<void> {
  const { id, contract, scope, basis, note, authority, placedBy, expiresAt } = placed;
  await orm(tx)
    .insert(hold)
    .values({
      contractId: contract,
      holdId: id,
      scope: scope.kind,
      type: scope.kind === "contract" ? null : scope.type,
      subject: scope.kind === "subject" ? scope.subject : null,
      path: scope.kind === "field" ? scope.path : null,
      ...{ basis, note, authority },
      placedIssuer: placedBy.issuer,
      placedSubject: placedBy.subject,
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    });
}

export async function releaseHold(tx: Queryable, contract: ContractId, id: string): Promise<void> {
  await orm(tx)
    .update(hold)
    .set({ releasedAt: sql`now()` })
    .where(and(eq(hold.contractId, contract), eq(hold.holdId, id)));
}

/** The table's checks say which columns a scope has. */
function scopeOf(
  kind: HoldScope["kind"],
  { type, subject, path }: { readonly type: string | null; readonly subject: string | null; readonly path: string | null },
): HoldScope {
  if (kind === "contract") return { kind };
  if (kind === "subject") return { kind, type: type ?? "", subject: (subject ?? "") as Locator };
  return { kind, type: type ?? "", path: path ?? "" };
}
