/** Writers beside the gateway's own, whose way to the database can be cut, and the entries as they lie there. */
import { createAuditWriter, type DurableReceipt, type Entry, type EntryDraft, entriesOfFlush, readEntry } from "../../src/audit/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createAuditKeys } from "../../src/keys/index.ts";
import { DatabaseError, DatabaseUnavailable, type Queryable } from "../../src/storage/index.ts";
import type { LogGateway } from "./log-gateway.ts";

export const systemEntry: EntryDraft = { event: "log.opened", actor: { role: "system" }, outcome: { effect: "allow", code: "test" } };

/**
 * A writer of c-test's log under the edge's key. `nextFault` is asked before each insert: `refused` by the server,
 * `never sent`, or `lost` after the commit; undefined lets it pass.
 */
export function createTestWriter(
  { root, edgeWriter }: LogGateway,
  database: Queryable,
  nextFault: () => string | undefined = () => undefined,
): (draft: EntryDraft) => Promise<DurableReceipt> {
  const faulty: Queryable = {
    async query(text, params) {
      const fault = text.includes("into audit.flush") ? nextFault() : undefined;
      if (fault === "refused") throw new DatabaseError("42501", null);
      if (fault === "never sent") throw new DatabaseUnavailable("cut", false);
      const rows = await database.query(text, params);
      if (fault === "lost") throw new DatabaseUnavailable("cut", true);
      return rows;
    },
  };
  const parts = { aead: nodeAead, signer: edgeWriter, auditKeys: createAuditKeys(root), now: Date.now, mergeDelaySeconds: 300 };
  const writer = createAuditWriter({ database: faulty, ...parts });
  const handle = { log: "c-test", base: "test/postern/c-test", pseudonymKey: new Uint8Array(32) };
  return (draft) => writer.append(handle, draft);
}

export interface RawEntry {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly entry: Entry;
}

/** All entries that were accepted into a log. Throws at one that is not of the form. */
export async function entriesOf({ owner }: Pick<LogGateway, "owner">, log = "c-test"): Promise<RawEntry[]> {
  const rows = await owner.query("select flush_id, entries from audit.flush where log = $1 order by flush_id", [log]);
  return rows.flatMap(([flush, entries]) =>
    (entries instanceof Uint8Array ? entriesOfFlush(entries) : []).map((bytes) => {
      const entry = readEntry(bytes);
      if (!entry) throw new Error(`flush ${flush} holds what is not an entry`);
      return { id: entry.id, bytes, text: new TextDecoder().decode(bytes), entry };
    }),
  );
}
