/** What the vendor said of its systems: filings are added, never changed. */
import { and, asc, eq, sql } from "drizzle-orm";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, epochMs, orm, type Queryable } from "../storage/index.ts";
import type { PurgeJob } from "./postgres.ts";
import { attestation, purgeJob } from "./schema.ts";

export interface Attestation {
  readonly id: string;
  readonly system: string;
  readonly statement: string;
  readonly signer: string;
  /** `sha256:…` of what was said. */
  readonly digest: string;
  /** Detached, under the vendor's key; `null` = not signed. */
  readonly jws: string | null;
  readonly evidenceName: string | null;
  readonly evidenceDigest: string | null;
  readonly recordedAt: number;
}

export interface NewAttestation extends Omit<Attestation, "recordedAt"> {
  readonly evidence: Uint8Array | null;
  readonly by: { readonly issuer: string; readonly subject: string };
}

type JobName = Pick<PurgeJob, "contract" | "id">;

export async function insertAttestation(tx: Queryable, job: JobName, { id, by, ...row }: NewAttestation): Promise<void> {
  await orm(tx)
    .insert(attestation)
    .values({
      contractId: job.contract,
      jobId: job.id,
      attestationId: id,
      recordedIssuer: by.issuer,
      recordedSubject: by.subject,
      ...row,
    });
}

/** Oldest first. */
export async function selectAttestations(database: Queryable, job: JobName): Promise<Attestation[]> {
  const { attestationId, system, statement, signer, digest, jws, evidenceName, evidenceDigest } = attestation;
  return orm(database)
    .select({
      ...{ id: attestationId, system, statement, signer, digest, jws, evidenceName, evidenceDigest },
      recordedAt: epochMs(attestation.recordedAt),
      readAt: databaseNowMs,
    })
    .from(attestation)
    .where(and(eq(attestation.contractId, job.contract), eq(attestation.jobId, job.id)))
    .orderBy(asc(attestation.attestationId));
}

/** `null` = no such filing, or one without a file. */
export async function selectEvidence(database: Queryable, job: JobName, id: string): Promise<Uint8Array | null> {
  const [row] = await orm(database)
    .select({ evidence: attestation.evidence, readAt: databaseNowMs })
    .from(attestation)
    .where(and(eq(attestation.contractId, job.contract), eq(attestation.jobId, job.id), eq(attestation.attestationId, id)));
  return row?.evidence ?? null;
}

/** Jobs whose owners have not been reminded for a day, in the first `days` of them; each is answered to one caller. */
export async function claimReminders(database: Queryable, days: number): Promise<JobName[]> {
  const rows = await orm(database)
    .update(purgeJob)
    .set({ remindedAt: sql`now()` })
    .where(
      sql`${purgeJob.step} <> 'requested' and ${purgeJob.createdAt} > now() - ${days}::int * interval '1 day'
        and (${purgeJob.remindedAt} is null or ${purgeJob.remindedAt} < now() - interval '1 day')`,
    )
    .returning({ contract: purgeJob.contractId, id: purgeJob.jobId });
  return rows.map(({ contract, id }) => ({ contract: contract as ContractId, id }));
}
