/** What a return reads and leaves: records in the order of their names, sealed parts, and the receipt of the whole. */
import { and, asc, eq, sql } from "drizzle-orm";
import type { ContractId, Locator } from "../kernel/index.ts";
import type { WrappedKey } from "../keys/index.ts";
import type { SealedRecord } from "../records/index.ts";
import { type Cell, databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { PurgeJob } from "./postgres.ts";
import { returnPart, returnReceipt } from "./schema.ts";

const batchRecords = 250;
const batchBytes = 2_000_000;

/** The last record of a part. */
export interface Place {
  readonly type: string;
  readonly locator: string;
}

export interface StoredRecord extends SealedRecord {
  readonly type: string;
  /** `null` = the subject's key is gone. */
  readonly subjectKey: WrappedKey | null;
}

/** The next records behind `after`, no more than a batch holds; none = that was all. */
export async function selectRecordsAfter(database: Queryable, contract: ContractId, after: Place | undefined): Promise<StoredRecord[]> {
  const rows = await database.query(recordsText, [contract, after?.type ?? "", after?.locator ?? ""]);
  return rows.map(([type, locator, subject, version, level0, level1, level2, level3, epoch, wrapped]) => ({
    type: String(type),
    locator: String(locator) as Locator,
    subject: String(subject),
    version: Number(version),
    levels: [level0, level1, level2, level3].map(bytesOrNull),
    subjectKey: wrapped instanceof Uint8Array ? { epoch: Number(epoch), wrapped } : null,
  }));
}

/** One record at least, however long it is; the lengths of values that lie apart are known without fetching them. */
const recordsText = `select type, locator, subject, version, level0, level1, level2, level3, epoch, wrapped, now()
  from (
    select n.*, row_number() over names as place, sum(bytes) over names as running
    from (
      select r.*, k.epoch, k.wrapped,
        coalesce(octet_length(level0), 0) + coalesce(octet_length(level1), 0) + coalesce(octet_length(level2), 0) + coalesce(octet_length(level3), 0) as bytes
      from postern.record r left join postern.subject_key k on k.contract_id = r.contract_id and k.subject = r.subject
      where r.contract_id = $1 and (r.type, r.locator) > ($2, $3) order by r.type, r.locator limit ${batchRecords}
    ) n window names as (order by type, locator)
  ) m where running <= ${batchBytes} or place = 1 order by type, locator`;

function bytesOrNull(cell: Cell | undefined): Uint8Array | null {
  return cell instanceof Uint8Array ? cell : null;
}

export interface Part {
  readonly part: string;
  /** `sha256:…` of the JWE's text. */
  readonly digest: string;
  readonly records: number;
}

export async function insertPart(tx: Queryable, job: PurgeJob, row: Part & { readonly jwe: string }): Promise<void> {
  await orm(tx)
    .insert(returnPart)
    .values({ contractId: job.contract, jobId: job.id, ...row });
}

/** In their order: those of records, then `keys` and `manifest`. */
export async function selectParts(database: Queryable, job: Pick<PurgeJob, "contract" | "id">): Promise<Part[]> {
  return orm(database)
    .select({ part: returnPart.part, digest: returnPart.digest, records: returnPart.records, readAt: databaseNowMs })
    .from(returnPart)
    .where(and(eq(returnPart.contractId, job.contract), eq(returnPart.jobId, job.id)))
    .orderBy(asc(returnPart.part));
}

/** `null` = no such part, or not any more. */
export async function selectPart(database: Queryable, job: Pick<PurgeJob, "contract" | "id">, part: string): Promise<string | null> {
  const [row] = await orm(database)
    .select({ jwe: returnPart.jwe, readAt: databaseNowMs })
    .from(returnPart)
    .where(and(eq(returnPart.contractId, job.contract), eq(returnPart.jobId, job.id), eq(returnPart.part, part)));
  return row?.jwe ?? null;
}

export interface Receipt {
  readonly digest: string;
  readonly sealedAt: number;
  /** `null` = nobody has said that it arrived. */
  readonly acknowledgedAt: number | null;
  readonly readAt: number;
}

export async function insertReceipt(tx: Queryable, job: PurgeJob, digest: string): Promise<void> {
  await orm(tx).insert(returnReceipt).values({ contractId: job.contract, jobId: job.id, digest });
}

/** `null` = not sealed yet. */
export async function selectReceipt(database: Queryable, job: Pick<PurgeJob, "contract" | "id">): Promise<Receipt | null> {
  const [row] = await orm(database)
    .select({
      digest: returnReceipt.digest,
      sealedAt: epochMs(returnReceipt.sealedAt),
      acknowledgedAt: sql<number | null>`extract(epoch from ${returnReceipt.acknowledgedAt})::float8 * 1000`,
      readAt: databaseNowMs,
    })
    .from(returnReceipt)
    .where(and(eq(returnReceipt.contractId, job.contract), eq(returnReceipt.jobId, job.id)));
  return row ?? null;
}

/** The first who says so counts. */
export async function acknowledgeReceipt(
  tx: Queryable,
  job: Pick<PurgeJob, "contract" | "id">,
  by: { readonly issuer: string; readonly subject: string },
): Promise<void> {
  await orm(tx)
    .update(returnReceipt)
    .set({ acknowledgedAt: sql`now()`, acknowledgedIssuer: by.issuer, acknowledgedSubject: by.subject })
    .where(and(eq(returnReceipt.contractId, job.contract), eq(returnReceipt.jobId, job.id), sql`${returnReceipt.acknowledgedAt} is null`));
}
