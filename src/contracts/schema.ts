/**
 * Tables of the contracts and who sits at them. The text of record is migrations/; a test compares both column by column.
 */
import { bigint, boolean, date, foreignKey, index, pgSchema, primaryKey, text, timestamp, uniqueIndex } from "drizzle-orm/pg-core";
import { holdBases } from "./holds.ts";

export const seatKeepers = ["merchant_owner", "vendor_admin"] as const;

const postern = pgSchema("postern");

export const contract = postern.table("contract", {
  contractId: text("contract_id").primaryKey(),
  merchant: text("merchant").notNull(),
  vendor: text("vendor").notNull(),
  state: text("state", { enum: ["draft", "active", "ended", "purging", "purged"] }).notNull(),
  startsAt: timestamp("starts_at", { withTimezone: true, mode: "string" }).notNull(),
  endsAt: timestamp("ends_at", { withTimezone: true, mode: "string" }).notNull(),
  purgeDueAt: timestamp("purge_due_at", { withTimezone: true, mode: "string" }).notNull(),
  bundleDigest: text("bundle_digest").notNull(),
  createdAt: timestamp("created_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  irrevocableAt: timestamp("irrevocable_at", { withTimezone: true, mode: "string" }),
  suspendedAt: timestamp("suspended_at", { withTimezone: true, mode: "string" }),
  noticedFor: timestamp("noticed_for", { withTimezone: true, mode: "string" }),
  toldUntil: timestamp("told_until", { withTimezone: true, mode: "string" }),
});

/** Policy ∩ contract, compiled: canonical JSON under its SHA-256. */
export const bundle = postern.table(
  "bundle",
  {
    contractId: text("contract_id").notNull(),
    digest: text("digest").notNull(),
    compiled: text("compiled").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.digest] }),
    foreignKey({ columns: [table.contractId], foreignColumns: [contract.contractId] }),
  ],
);

export const seat = postern.table(
  "seat",
  {
    contractId: text("contract_id").notNull(),
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    role: text("role").notNull(),
    name: text("name").notNull(),
    likeness: text("likeness").notNull(),
    agreementOn: date("agreement_on", { mode: "string" }),
    agreementUntil: date("agreement_until", { mode: "string" }),
    trainingOn: date("training_on", { mode: "string" }),
    trainingUntil: date("training_until", { mode: "string" }),
    shifts: text("shifts"),
    approvedRole: text("approved_role"),
    revokedBy: text("revoked_by", { enum: seatKeepers }),
    revokedAt: timestamp("revoked_at", { withTimezone: true, mode: "string" }),
    scim: text("scim", { enum: ["member", "left"] }),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.issuer, table.subject] }),
    foreignKey({ columns: [table.contractId], foreignColumns: [contract.contractId] }),
    index("seat_by_person").on(table.issuer, table.subject),
    uniqueIndex("seat_likeness").on(table.contractId, table.issuer, table.likeness),
  ],
);

/** What must be kept, on whose word, until when. */
export const hold = postern.table(
  "hold",
  {
    contractId: text("contract_id").notNull(),
    holdId: text("hold_id").notNull(),
    scope: text("scope", { enum: ["contract", "subject", "field"] }).notNull(),
    type: text("type"),
    subject: text("subject"),
    path: text("path"),
    basis: text("basis", { enum: holdBases }).notNull(),
    note: text("note").notNull(),
    authority: text("authority").notNull(),
    placedIssuer: text("placed_issuer").notNull(),
    placedSubject: text("placed_subject").notNull(),
    placedAt: timestamp("placed_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" }),
    releasedAt: timestamp("released_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.holdId] }),
    foreignKey({ columns: [table.contractId], foreignColumns: [contract.contractId] }),
  ],
);

/** What two owners were asked to agree to: canonical JSON under its SHA-256. */
export const proposal = postern.table(
  "proposal",
  {
    contractId: text("contract_id").notNull(),
    digest: text("digest").notNull(),
    terms: text("terms").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.contractId, table.digest] }),
    foreignKey({ columns: [table.contractId], foreignColumns: [contract.contractId] }),
  ],
);

/** How far the database's clock is believed: one row. */
export const clock = postern.table("clock", {
  one: boolean("one").primaryKey().default(true),
  beatAt: timestamp("beat_at", { withTimezone: true, mode: "string" }).notNull(),
  doubtedFrom: timestamp("doubted_from", { withTimezone: true, mode: "string" }),
  doubtedAt: timestamp("doubted_at", { withTimezone: true, mode: "string" }),
  steadyMs: bigint("steady_ms", { mode: "number" }).notNull().default(0),
});
