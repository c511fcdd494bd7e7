/**
 * Moves what the root key wraps from one root key to another: share A of every epoch and the keys of the logs, one statement each.
 *
 * Crash order: a key is opened under the one, wrapped under the other, and put in the place of exactly the bytes that were read. Killed anywhere, each row
 * lies under the one or under the other; whoever comes next finds what is left. Two at once do some work twice. A share that a purge or a rotation erased
 * meanwhile is not there to be replaced, and stays erased.
 */
import type { Queryable } from "../storage/index.ts";
import { auditContext } from "./audit-keys.ts";
import { shareContext } from "./keyring.ts";
import type { RootKey } from "./ports.ts";
import { replaceAuditKey, replaceShareA, selectAuditKeysUnder, selectSharesUnder } from "./postgres-root.ts";

const batchKeys = 50;

export interface Rewrapped {
  readonly moved: number;
  /** Places of those that do not open, as the root key knows them: `share-a/c-linxi/1`. Nothing opens them under that root key any more. */
  readonly stuck: readonly string[];
}

interface Place {
  readonly context: string;
  readonly wrapped: Uint8Array;
  replace(fresh: Uint8Array): Promise<void>;
}

/** From the root key of this name to the first of `root`'s, until there are no more or `isOver` says so. Throws KeysUnavailable where a service could not be asked. */
export async function rewrapRoot(database: Queryable, root: RootKey, from: string, isOver: () => boolean): Promise<Rewrapped> {
  let moved = 0;
  const stuck: string[] = [];
  for (const select of [sharesUnder, auditKeysUnder]) {
    let passed = 0;
    for (;;) {
      const places = await select(database, from, passed);
      for (const place of places) {
        if (isOver()) return { moved, stuck };
        if (await rewrap(root, place)) moved++;
        else {
          stuck.push(place.context);
          passed++;
        }
      }
      if (places.length < batchKeys) break;
    }
  }
  return { moved, stuck };
}

/** False: it does not open. */
async function rewrap(root: RootKey, { context, wrapped, replace }: Place): Promise<boolean> {
  const key = await root.unwrap(context, wrapped);
  if (key === null) return false;
  try {
    await replace(await root.wrap(context, key));
  } finally {
    key.fill(0);
  }
  return true;
}

/** Behind the first `passed` that lie there still. */
async function sharesUnder(database: Queryable, from: string, passed: number): Promise<Place[]> {
  return (await selectSharesUnder(database, from, { limit: batchKeys, offset: passed })).map((row) => ({
    context: shareContext(row.contract, row.epoch),
    wrapped: row.wrapped,
    replace: (fresh) => replaceShareA(database, row, fresh),
  }));
}

async function auditKeysUnder(database: Queryable, from: string, passed: number): Promise<Place[]> {
  return (await selectAuditKeysUnder(database, from, { limit: batchKeys, offset: passed })).map((row) => ({
    context: auditContext(row.log, row.purpose),
    wrapped: row.wrapped,
    replace: (fresh) => replaceAuditKey(database, row, fresh),
  }));
}
