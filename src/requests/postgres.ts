/** The table of data subjects' requests. Every statement takes the contract's id. */
import { and, eq, isNull, sql } from "drizzle-orm";
import type { ContractId, Locator } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { NewRequest, RequestOutcome } from "./request.ts";
import { subjectRequest } from "./schema.ts";

export interface SubjectRequest extends NewRequest {
  /** `null` = open. */
  readonly outcome: RequestOutcome | null;
  readonly closedAt: number | null;
  /** The database's clock when this was read, milliseconds. */
  readonly readAt: number;
}

const columns = {
  contract: subjectRequest.contractId,
  id: subjectRequest.requestId,
  kind: subjectRequest.kind,
  type: subjectRequest.type,
  locator: subjectRequest.locator,
  subject: subjectRequest.subject,
  note: subjectRequest.note,
  receivedAt: epochMs(subjectRequest.receivedAt),
  dueAt: epochMs(subjectRequest.dueAt),
  outcome: subjectRequest.outcome,
  closedAt: epochMs(subjectRequest.closedAt),
  readAt: databaseNowMs,
};

/** Once it resolves the request is durable. The edge may do no more than this. */
export async function insertRequest(database: Queryable, request: NewRequest): Promise<void> {
  const { contract, id, receivedAt, dueAt, ...rest } = request;
  const times = { receivedAt: new Date(receivedAt).toISOString(), dueAt: new Date(dueAt).toISOString() };
  await orm(database)
    .insert(subjectRequest)
    .values({ contractId: contract, requestId: id, ...rest, ...times });
}

/** The open ones first, by their deadline. */
export async function selectRequests(database: Queryable, contract: ContractId): Promise<SubjectRequest[]> {
  const rows = await orm(database)
    .select(columns)
    .from(subjectRequest)
    .where(eq(subjectRequest.contractId, contract))
    .orderBy(sql`${subjectRequest.outcome} is not null`, subjectRequest.dueAt, subjectRequest.requestId);
  return rows.map(branded);
}

export async function selectRequest(database: Queryable, contract: ContractId, id: string): Promise<SubjectRequest | null> {
  const [row] = await orm(database)
    .select(columns)
    .from(subjectRequest)
    .where(and(eq(subjectRequest.contractId, contract), eq(subjectRequest.requestId, id)));
  return row ? branded(row) : null;
}

/** False: it was closed before. */
export async function closeRequest(tx: Queryable, contract: ContractId, id: string, outcome: RequestOutcome): Promise<boolean> {
  const closed = await orm(tx)
    .update(subjectRequest)
    .set({ outcome, closedAt: sql`now()` })
    .where(and(eq(subjectRequest.contractId, contract), eq(subjectRequest.requestId, id), isNull(subjectRequest.outcome)))
    .returning({ id: subjectRequest.requestId });
  return closed.length === 1;
}

function branded(row: Omit<SubjectRequest, "contract" | "locator"> & { contract: string; locator: string }): SubjectRequest {
  return { ...row, contract: row.contract as ContractId, locator: row.locator as Locator };
}
