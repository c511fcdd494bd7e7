/**
 * Tables of the end: one job a contract, what it returns, what the vendor attests, and its certificate. The text of record is migrations/; a test compares both column by column.
 */
import { integer, pgSchema, primaryKey, text, timestamp, uniqueIndex } from "drizzle-orm/pg-core";
import { bytea } from "../storage/index.ts";

const postern = pgSchema("postern");

export const purgeJob = postern.table(
  "purge_job",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    basis: text("basis", { enum: ["term_ended", "owners"] }).notNull(),
    step: text("step").notNull(),
    notBefore: timestamp("not_before", { withTimezone: true, mode: "string" }).notNull(),
    fence: integer("fence").notNull().default(0),
    leaseUntil: timestamp("lease_until", { withTimezone: true, mode: "string" }),
    facts: text("facts").notNull(),
    createdAt: timestamp("created_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    remindedAt: timestamp("reminded_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.jobId] }), uniqueIndex("purge_job_one").on(table.contractId)],
);

export const certificate = postern.table(
  "certificate",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    jws: text("jws").notNull(),
    horizonAt: timestamp("horizon_at", { withTimezone: true, mode: "string" }).notNull(),
    finalJws: text("final_jws"),
    closedAt: timestamp("closed_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.jobId] })],
);

export const returnPart = postern.table(
  "return_part",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    part: text("part").notNull(),
    digest: text("digest").notNull(),
    records: integer("records").notNull(),
    jwe: text("jwe").notNull(),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.jobId, table.part] })],
);

export const returnReceipt = postern.table(
  "return_receipt",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    digest: text("digest").notNull(),
    sealedAt: timestamp("sealed_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    acknowledgedAt: timestamp("acknowledged_at", { withTimezone: true, mode: "string" }),
    acknowledgedIssuer: text("acknowledged_issuer"),
    acknowledgedSubject: text("acknowledged_subject"),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.jobId] })],
);

export const attestation = postern.table(
  "attestation",
  {
    contractId: text("contract_id").notNull(),
    jobId: text("job_id").notNull(),
    attestationId: text("attestation_id").notNull(),
    system: text("system").notNull(),
    statement: text("statement").notNull(),
    signer: text("signer").notNull(),
    digest: text("digest").notNull(),
    jws: text("jws"),
    evidenceName: text("evidence_name"),
    evidenceDigest: text("evidence_digest"),
    evidence: bytea("evidence"),
    recordedIssuer: text("recorded_issuer").notNull(),
    recordedSubject: text("recorded_subject").notNull(),
    recordedAt: timestamp("recorded_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.contractId, table.jobId, table.attestationId] })],
);
