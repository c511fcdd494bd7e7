/** The table of proofs that were shown. The text of record is migrations/; a test compares both column by column. */
import { index, pgSchema, text, timestamp } from "drizzle-orm/pg-core";

export const spentProof = pgSchema("postern").table(
  "spent_proof",
  {
    proof: text("proof").primaryKey(),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" }).notNull(),
  },
  (table) => [index().on(table.expiresAt)],
);
