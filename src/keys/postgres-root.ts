/** What lies under which root key, by the name that it begins with, and how a row comes to lie under another. */
import { and, eq, sql } from "drizzle-orm";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowMs, orm, type Queryable } from "../storage/index.ts";
import { rootNameBytes } from "./named-root-key.ts";
import { auditKey, keyEpoch } from "./schema.ts";

export interface UnderRoot {
  /** Of the root key. */
  readonly name: string;
  readonly shares: number;
  readonly logKeys: number;
}

export async function countByRoot(database: Queryable): Promise<UnderRoot[]> {
  const rows = await database.query(
    `select encode(substring(wrapped for ${rootNameBytes}), 'hex'), sum(shares)::float8, sum(log_keys)::float8, now() from (
       select share_a as wrapped, 1 as shares, 0 as log_keys from postern.key_epoch where share_a is not null
       union all select wrapped, 0, 1 from postern.audit_key) counted
     group by 1 order by 1`,
  );
  return rows.map(([name, shares, logKeys]) => ({ name: String(name), shares: Number(shares), logKeys: Number(logKeys) }));
}

/** Whether this role may change the logs' keys: the database's owner grants it for a move, and takes it back (docs/KEYS.md). */
export async function mayChangeAuditKeys(database: Queryable): Promise<boolean> {
  const [row] = await database.query("select has_column_privilege('postern.audit_key', 'wrapped', 'update'), now()");
  return row?.[0] === true;
}

interface Page {
  readonly limit: number;
  readonly offset: number;
}

export interface WrappedShare {
  readonly contract: ContractId;
  readonly epoch: number;
  readonly wrapped: Uint8Array;
}

export async function selectSharesUnder(database: Queryable, name: string, { limit, offset }: Page): Promise<WrappedShare[]> {
  const rows = await orm(database)
    .select({ contract: keyEpoch.contractId, epoch: keyEpoch.epoch, wrapped: keyEpoch.shareA, readAt: databaseNowMs })
    .from(keyEpoch)
    .where(sql`substring(${keyEpoch.shareA} for ${rootNameBytes}::int) = decode(${name}, 'hex')`)
    .orderBy(keyEpoch.contractId, keyEpoch.epoch)
    .limit(limit)
    .offset(offset);
  return rows.flatMap(({ contract, epoch, wrapped }) => (wrapped ? [{ contract: contract as ContractId, epoch, wrapped }] : []));
}

/** Nothing happens where it is not what was read any more. */
export async function replaceShareA(database: Queryable, { contract, epoch, wrapped }: WrappedShare, fresh: Uint8Array): Promise<void> {
  await orm(database)
    .update(keyEpoch)
    .set({ shareA: fresh })
    .where(and(eq(keyEpoch.contractId, contract), eq(keyEpoch.epoch, epoch), eq(keyEpoch.shareA, wrapped)));
}

export interface WrappedAuditKey {
  readonly log: string;
  readonly purpose: string;
  readonly wrapped: Uint8Array;
}

export async function selectAuditKeysUnder(database: Queryable, name: string, { limit, offset }: Page): Promise<WrappedAuditKey[]> {
  return orm(database)
    .select({ log: auditKey.log, purpose: auditKey.purpose, wrapped: auditKey.wrapped, readAt: databaseNowMs })
    .from(auditKey)
    .where(sql`substring(${auditKey.wrapped} for ${rootNameBytes}::int) = decode(${name}, 'hex')`)
    .orderBy(auditKey.log, auditKey.purpose)
    .limit(limit)
    .offset(offset);
}

/** Nothing happens where it is not what was read any more. */
export async function replaceAuditKey(database: Queryable, { log, purpose, wrapped }: WrappedAuditKey, fresh: Uint8Array): Promise<void> {
  await orm(database)
    .update(auditKey)
    .set({ wrapped: fresh })
    .where(and(eq(auditKey.log, log), eq(auditKey.purpose, purpose), eq(auditKey.wrapped, wrapped)));
}
