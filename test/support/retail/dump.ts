/** Everything that a database or a directory holds, as bytes to look for leaks in. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Queryable } from "../../../src/storage/index.ts";

export interface Dumped {
  /** `postern.record`, `db/pg_wal/0000…`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Every column of every row of our tables, and what the planner remembers of them. */
export async function dumpTables(database: Queryable): Promise<Dumped[]> {
  await database.query("analyze");
  const tables = await database.query(
    "select table_schema || '.' || table_name from information_schema.tables where table_schema in ('postern', 'audit') order by 1",
  );
  const dumped: Dumped[] = [];
  for (const [table] of tables) dumped.push({ name: String(table), bytes: await dumpRows(database, `select * from ${table}`) });
  const statistics = "select to_jsonb(s)::text from pg_stats s where schemaname in ('postern', 'audit')";
  return [...dumped, { name: "pg_stats", bytes: await dumpRows(database, statistics) }];
}

async function dumpRows(database: Queryable, statement: string): Promise<Uint8Array> {
  const rows = await database.query(statement);
  const cells = rows
    .flat()
    .flatMap((cell) => [cell instanceof Uint8Array ? Buffer.from(cell) : Buffer.from(String(cell)), Buffer.from("\n")]);
  return Buffer.concat(cells);
}

/** Every file, one after the other. Most of a database's files is empty: an empty stretch is one zero. */
export function* dumpFiles(directory: string): Generator<Dumped> {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    yield { name: path.slice(directory.length + 1), bytes: withoutEmptyStretches(readFileSync(path)) };
  }
}

const empty = Buffer.alloc(256);

function withoutEmptyStretches(bytes: Buffer): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += empty.length) {
    const part = bytes.subarray(at, at + empty.length);
    parts.push(part.equals(empty) ? empty.subarray(0, 1) : part);
  }
  return Buffer.concat(parts);
}
