/** The tables of vendors' directories. The text of record is migrations/; a test compares both column by column. */
import { boolean, index, integer, pgSchema, primaryKey, text, timestamp, uniqueIndex } from "drizzle-orm/pg-core";

const postern = pgSchema("postern");

export const scimToken = postern.table(
  "scim_token",
  {
    vendor: text("vendor").notNull(),
    tokenId: text("token_id").notNull(),
    digest: text("digest").notNull(),
    issuedAt: timestamp("issued_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    expiresAt: timestamp("expires_at", { withTimezone: true, mode: "string" }).notNull(),
    lastUsedAt: timestamp("last_used_at", { withTimezone: true, mode: "string" }),
  },
  (table) => [primaryKey({ columns: [table.vendor, table.tokenId] }), uniqueIndex("scim_token_digest").on(table.vendor, table.digest)],
);

export const scimUser = postern.table(
  "scim_user",
  {
    vendor: text("vendor").notNull(),
    userId: text("user_id").notNull(),
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    likeness: text("likeness").notNull(),
    login: text("login").notNull(),
    loginLikeness: text("login_likeness").notNull(),
    externalId: text("external_id"),
    name: text("name").notNull(),
    active: boolean("active").notNull(),
    version: integer("version").notNull(),
    createdAt: timestamp("created_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
    changedAt: timestamp("changed_at", { withTimezone: true, mode: "string" }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.vendor, table.userId] }),
    uniqueIndex("scim_user_likeness").on(table.vendor, table.issuer, table.likeness),
    uniqueIndex("scim_user_login").on(table.vendor, table.loginLikeness),
    index("scim_user_person").on(table.vendor, table.issuer, table.subject),
    index().on(table.vendor, table.externalId),
  ],
);
