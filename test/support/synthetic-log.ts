/** A long log, put into the database as the sequencer would have left it, in place of a contract's own. As the database's owner. */
import { signCheckpoint } from "../../src/audit/index.ts";
import { encodeEntries } from "../../src/audit/tiles.ts";
import { emptyRange, extendRange, fullSubtrees, hashesToBytes, leafHash, rangeRoot } from "../../src/audit/tree.ts";
import { type Signer, toBase64, utf8 } from "../../src/crypto/index.ts";
import { canonicalJson } from "../../src/kernel/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { disarmTriggers } from "./stored-log.ts";

const tables = ["flush", "pending", "seq", "subtree", "checkpoint", "search", "search_subject"];

/** `size` entries in flushes of `flushSize`; checkpoints at `sizes` and at `size`. Answers the leaf hashes. */
export async function plantLog(
  database: Database,
  log: string,
  { size, flushSize, sizes, signer }: { size: number; flushSize: number; sizes: readonly number[]; signer: Signer },
): Promise<readonly Uint8Array[]> {
  const origin = `test/postern/${log}`;
  await disarmTriggers(database);
  for (const table of tables) await database.query(`delete from audit.${table} where log = $1`, [log]);
  const entries = Array.from({ length: size }, (_, i) => utf8(canonicalJson({ record: i })));
  const leaves = entries.map(leafHash);
  const rows: { id: string; index: number; hashes: string; entries: string }[] = [];
  for (let index = 0; index < size; index += flushSize) {
    const end = Math.min(index + flushSize, size);
    const hashes = toBase64(hashesToBytes(leaves.slice(index, end)));
    rows.push({ id: String(index).padStart(8, "0"), index, hashes, entries: toBase64(encodeEntries(entries.slice(index, end))) });
  }
  const given = "jsonb_to_recordset($2::text::jsonb) as e(index bigint, id text, hashes text, entries text)";
  await database.query(
    `insert into audit.flush (log, flush_id, head, entries) select $1, e.id, '', decode(e.entries, 'base64') from ${given}`,
    [log, JSON.stringify(rows)],
  );
  await database.query(
    `insert into audit.seq (log, index, flush_id, leaf_hashes) select $1, e.index, e.id, decode(e.hashes, 'base64') from ${given}`,
    [log, JSON.stringify(rows)],
  );
  for (const [index, root] of fullSubtrees(emptyRange, leaves, 256).entries())
    await database.query("insert into audit.subtree (log, index, root) values ($1, $2, $3)", [log, index, root]);
  for (const at of [...sizes, size]) {
    const root = rangeRoot(extendRange(emptyRange, leaves.slice(0, at)));
    const note = await signCheckpoint({ origin, size: at, root, extensions: [] }, signer);
    await database.query("insert into audit.checkpoint (log, size, note) values ($1, $2, $3)", [log, at, note]);
  }
  const range = extendRange(emptyRange, leaves);
  await database.query("update audit.log set size = $2, root = $3, range = $4 where log = $1", [
    log,
    size,
    rangeRoot(range),
    hashesToBytes(range.hashes),
  ]);
  return leaves;
}
