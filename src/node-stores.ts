/** What lies outside the database on Node, so that no backup of it holds it: the key shares and the anchor, each a directory or a Postgres of its own. */
import { dirname, join } from "node:path";
import { createFileAnchor } from "./audit/file-anchor.ts";
import type { Anchor } from "./audit/index.ts";
import { createPostgresAnchor } from "./audit/postgres-anchor.ts";
import type { Environment } from "./config.ts";
import { createFileShareStore, unfitShareFile } from "./keys/file-share-store.ts";
import type { ShareStore } from "./keys/index.ts";
import { createPostgresShareStore } from "./keys/postgres-share-store.ts";
import { keysDirectory } from "./node-keys.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { checkAnchorDatabase, checkShareDatabase } from "./start-checks.ts";
import type { Database } from "./storage/index.ts";
import { openPostgres } from "./storage/postgres.ts";

const limits = { poolSize: 2, queueMax: 1_000, deadlineMs: 5_000 };

export async function openShares({ POSTERN_SHARE_STORE: store, POSTERN_DATA }: Environment): Promise<ShareStore> {
  if (!store || "path" in store) {
    const directory = sharesDirectory(store, POSTERN_DATA);
    const unfit = await unfitShareFile(directory);
    if (unfit) throw new ConfigRefused(`${unfit} is not a share: 32 random bytes; put back the file that was there`);
    return createFileShareStore(directory);
  }
  const database = openSecond(store.url, "postern-shares");
  await checkShareDatabase(database);
  return createPostgresShareStore(database);
}

/** Where nothing is said, beside the shares: what no backup holds is restored with none. */
export async function openAnchor({ POSTERN_ANCHOR, POSTERN_SHARE_STORE: shares, POSTERN_DATA }: Environment): Promise<Anchor> {
  const place =
    POSTERN_ANCHOR ?? (shares && "url" in shares ? shares : { path: join(dirname(sharesDirectory(shares, POSTERN_DATA)), "anchors") });
  if ("path" in place) return createFileAnchor(place.path);
  const database = openSecond(place.url, "postern-anchor");
  await checkAnchorDatabase(database);
  return createPostgresAnchor(database);
}

function sharesDirectory(store: { readonly path: string } | undefined, data: string): string {
  return store?.path ?? join(keysDirectory(data), "shares");
}

function openSecond(url: string, applicationName: string): Database {
  return openPostgres({ url, ...limits, applicationName });
}
