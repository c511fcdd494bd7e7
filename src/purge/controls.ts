/**
 * Negative controls: that the looks which later find nothing would have found something. Run for real, logged in the entries of their acts, and repeated
 * by the certificate; a look that was never seen to find anything proves nothing.
 */
import { putSeats } from "../contracts/index.ts";
import { type KeyEpoch, type ShareStore, selectKeyEpochs } from "../keys/index.ts";
import type { Database } from "../storage/index.ts";
import type { PurgeParts } from "./parts.ts";
import { dyingStores, stores } from "./plan.ts";
import { countRows, deleteRows, type PurgeJob, renewLease } from "./postgres.ts";

/** Names nobody. */
const planted = { issuer: "purge", subject: "control", role: "none", name: "none" };

/** Shares that stand. Asked before they are destroyed, and by the sweep after. */
export async function countShares(
  { database, shares }: { readonly database: Database; readonly shares: ShareStore },
  contract: PurgeJob["contract"],
): Promise<{ share_a: number; share_b: number }> {
  const epochs = await selectKeyEpochs(database, contract);
  const inStore = await Promise.all(epochs.map(({ epoch }) => shares.get(contract, epoch)));
  const isThere = (share: KeyEpoch["shareA"]) => share !== null;
  return { share_a: epochs.filter(({ shareA }) => isThere(shareA)).length, share_b: inStore.filter(isThere).length };
}

/**
 * Plants a row in a table that is empty by now, counts as the sweep counts, and takes it out again, in one transaction: nobody else ever sees it.
 * Throws where the count does not see it, and nothing else beside it.
 */
export async function controlCount({ database, leaseMs }: PurgeParts, job: PurgeJob): Promise<{ planted: number; seen: number }> {
  const counted = await database.transaction(async (tx) => {
    await renewLease(tx, job, leaseMs);
    await putSeats(tx, job.contract, [planted]);
    const counts = await countRows(tx, job.contract);
    await deleteRows(tx, "postern.seat", job.contract, { limit: 1 });
    return counts;
  });
  const seen = dyingStores.reduce((sum, table) => sum + (counted[table] ?? 0), 0);
  if (seen !== 1 || counted["postern.seat"] !== 1) throw new Error("the count does not see a row that is there");
  return { planted: 1, seen };
}

/** Of the registered tables, how many the catalogue showed. Throws where it hides one: it would hide an unregistered one as well. */
export function controlCatalogue(shown: readonly string[]): { registered: number; seen: number } {
  const registered = Object.keys(stores);
  const seen = registered.filter((table) => shown.includes(table)).length;
  if (seen < registered.length) throw new Error("the catalogue does not show a table that is there");
  return { registered: registered.length, seen };
}
