/** What an entry asks of the databases that it was given, before it serves anything with them. */

import { selectUndone } from "./erasure/index.ts";
import { joinRootKeys, KeysUnavailable, type RootKey, type ShareStore, unwrapsGatewayKey } from "./keys/index.ts";
import { missingShareTable } from "./keys/postgres-share-store.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { selectRevived } from "./purge/index.ts";
import type { Queryable } from "./storage/index.ts";

export type DatabaseRole = "postern_edge" | "postern_directory" | "postern_keeper";

/** A side that was given another's role, or a higher one, would hold what it must not. Throws ConfigRefused. */
export async function checkRole(database: Queryable, role: DatabaseRole): Promise<void> {
  const [user, superuser, edge, directory, keeper] = (await database.query(roleText))[0] ?? [];
  const held = { postern_edge: edge === true, postern_directory: directory === true, postern_keeper: keeper === true };
  const others = Object.entries(held).filter(([name, has]) => has && name !== role);
  const fits = held[role] && (role === "postern_keeper" || others.length === 0);
  if (superuser === true || !fits) throw new ConfigRefused(`the database is bound as ${user}: bind it as ${role}, and nothing above it`);
}

const roleText = `select current_user::text, rolsuper, pg_has_role(current_user, 'postern_edge', 'usage'),
    pg_has_role(current_user, 'postern_directory', 'usage'), pg_has_role(current_user, 'postern_keeper', 'usage'), now()
  from pg_roles where rolname = current_user`;

/** Throws ConfigRefused. */
export async function checkShareDatabase(database: Queryable): Promise<void> {
  const [row] = await database.query("select to_regclass('public.postern_migration') is not null, now()");
  if (row?.[0] === true) {
    throw new ConfigRefused("the shares are bound to the main database, whose backups would undo a purge: bind one of their own");
  }
  const missing = await missingShareTable(database);
  if (missing !== null)
    throw new ConfigRefused(`the shares' database has no table ${missing}: run \`postern migrate\` with POSTERN_SHARE_STORE`);
  const [unfit] = await database.query(unfitShareText);
  if (unfit)
    throw new ConfigRefused(`the share of ${unfit[0]}, epoch ${unfit[1]}, is not 32 random bytes; put back the row that was there`);
}

const unfitShareText = `select contract_id, epoch, now() from postern_share
  where octet_length(share) <> 32 or share = decode(repeat('00', 32), 'hex') order by contract_id, epoch limit 1`;

/** Throws ConfigRefused. */
export async function checkAnchorDatabase(database: Queryable): Promise<void> {
  const [row] = await database.query(
    "select to_regclass('postern_anchor') is not null, to_regclass('public.postern_migration') is not null, now()",
  );
  if (row?.[1] === true)
    throw new ConfigRefused("the anchor is bound to the main database, with which it would be restored: bind one of its own");
  if (row?.[0] !== true)
    throw new ConfigRefused(
      "the anchor's database has no table postern_anchor: run `postern migrate` with POSTERN_SHARE_STORE or POSTERN_ANCHOR",
    );
}

/** A database that was restored from before a purge, or a deletion, serves nothing until the tombstones were replayed. Throws ConfigRefused. */
export async function checkTombstones(database: Queryable, shares: Pick<ShareStore, "buried" | "deletions">): Promise<void> {
  const [first, ...others] = await selectRevived(database, shares);
  if (!first) return checkDeletions(database, shares);
  const more = others.length > 0 ? `, and ${others.length} more` : "";
  throw new ConfigRefused(
    `contract ${first.contract} was purged (${first.buried}) and this database, restored from before, has it ${first.state} again${more}: run \`postern tombstones\``,
  );
}

async function checkDeletions(database: Queryable, shares: Pick<ShareStore, "deletions">): Promise<void> {
  const [first, ...others] = await selectUndone(database, shares);
  if (!first) return;
  const more = others.length > 0 ? `, and ${others.length} more` : "";
  throw new ConfigRefused(
    `something of contract ${first.contract} was deleted (job ${first.job}) and this database, restored from before, has it again${more}: run \`postern tombstones\``,
  );
}

/** Throws ConfigRefused. An edge that starts before the keeper ever did finds nothing to try it on. */
export async function checkRootKey(database: Queryable, root: RootKey): Promise<void> {
  const unwraps = await unwrapsGatewayKey(database, root).catch(asRefusal);
  if (unwraps === false) throw new ConfigRefused("POSTERN_ROOT_KEY is not the key that this database began with");
}

/** Both, while keys move from one to the other; `beside` is null at other times. Throws ConfigRefused where they have one name. */
export function rootKeysOf(root: RootKey, beside: RootKey | null): RootKey {
  if (!beside) return root;
  try {
    return joinRootKeys(root, beside);
  } catch {
    throw new ConfigRefused("POSTERN_ROOT_KEY_BESIDE is the same key as POSTERN_ROOT_KEY, or one of the same name");
  }
}

/** What the key service says is for the operator to mend. */
export function asRefusal(error: unknown, setting = "POSTERN_ROOT_KEY"): never {
  throw error instanceof KeysUnavailable ? new ConfigRefused(`${setting}: ${error.message}`) : error;
}
