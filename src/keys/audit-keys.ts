/**
 * Keys of the logs: one per log and month for the details of entries, and the gateway log's pseudonym key.
 * Random, wrapped by the root key, not derived from a contract's key: who acted stays readable for officers after the contract's data is gone.
 * The keeper makes them ahead of time; the edge only reads.
 */
import { keyBytes, randomBytes } from "../crypto/index.ts";
import type { Queryable } from "../storage/index.ts";
import { KeysUnavailable, type RootKey } from "./ports.ts";
import { insertAuditKey, selectAuditKey } from "./postgres.ts";

const auditKeysMax = 4_000;

export interface AuditKeys {
  /** `purpose`: a month `2026-11`, or `pseudonym`. Throws KeysUnavailable where there is none. */
  keyOf(database: Queryable, log: string, purpose: string): Promise<Uint8Array>;
  /** The same, looked for anew: `null` = it was destroyed. Throws KeysUnavailable where it does not open. */
  standingKeyOf(database: Queryable, log: string, purpose: string): Promise<Uint8Array | null>;
  /** Makes the keys of a log for this month and the next where they are missing. */
  prepare(tx: Queryable, log: string, at: Date): Promise<void>;
}

/** What was opened, by its place. Holds nothing that is still under way, for the reason that `OpenedKeys` gives. */
export type OpenedAuditKeys = Map<string, Uint8Array>;

/** `opened`: where it remembers; several in turn may share one. */
export function createAuditKeys(root: RootKey, opened: OpenedAuditKeys = new Map()): AuditKeys {
  const opening = new Map<string, Promise<Uint8Array>>();

  const unwrap = async (log: string, purpose: string, wrapped: Uint8Array | null): Promise<Uint8Array> => {
    const key = wrapped && (await root.unwrap(auditContext(log, purpose), wrapped));
    if (!key) throw new KeysUnavailable("the log's key is missing or does not open");
    opened.set(auditContext(log, purpose), key);
    if (opened.size > auditKeysMax) {
      const oldest = opened.keys().next();
      if (!oldest.done) opened.delete(oldest.value);
    }
    return key;
  };
  const load = async (database: Queryable, log: string, purpose: string): Promise<Uint8Array> =>
    unwrap(log, purpose, await selectAuditKey(database, log, purpose));

  return {
    async standingKeyOf(database, log, purpose) {
      const wrapped = await selectAuditKey(database, log, purpose);
      if (wrapped === null) opened.delete(auditContext(log, purpose));
      return wrapped && (opened.get(auditContext(log, purpose)) ?? unwrap(log, purpose, wrapped));
    },
    async keyOf(database, log, purpose) {
      const name = auditContext(log, purpose);
      const known = opened.get(name) ?? opening.get(name);
      if (known) return known;
      const key = load(database, log, purpose).finally(() => opening.delete(name));
      opening.set(name, key);
      return key;
    },
    async prepare(tx, log, at) {
      const next = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
      const purposes = [monthOf(at), monthOf(next), ...(log === "gateway" ? ["pseudonym"] : [])];
      for (const purpose of purposes) {
        if (opened.has(auditContext(log, purpose)) || (await selectAuditKey(tx, log, purpose))) continue;
        await insertAuditKey(tx, log, purpose, await root.wrap(auditContext(log, purpose), randomBytes(keyBytes)));
      }
    },
  };
}

/** Whether this root key opens the key that the keeper's first start made. `null` = there was none yet. Throws KeysUnavailable where it could not be asked. */
export async function unwrapsGatewayKey(database: Queryable, root: RootKey): Promise<boolean | null> {
  const wrapped = await selectAuditKey(database, "gateway", "pseudonym");
  return wrapped && (await root.unwrap(auditContext("gateway", "pseudonym"), wrapped)) !== null;
}

/** The root key port's, of a log's key. */
export function auditContext(log: string, purpose: string): string {
  return `audit/${log}/${purpose}`;
}

/** `2026-11`, in UTC. */
export function monthOf(at: Date): string {
  return at.toISOString().slice(0, 7);
}
