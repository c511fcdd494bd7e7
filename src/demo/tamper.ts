/**
 * What a curious DBA could do, as a route that exists in the demo only: past the trigger, one byte of one entry in the middle of the log.
 * The falsified entry stays well-formed: a digit of its time. What was there is kept in a file, so that it can be put back.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import * as z from "zod";
import { entriesOfFlush } from "../audit/index.ts";
import { json, type Route } from "../http/index.ts";
import { ok, refuse } from "../kernel/index.ts";
import type { Database } from "../storage/index.ts";
import { demoHighlights } from "./world.ts";

const log = demoHighlights.contract;
const body = z.strictObject({ undo: z.boolean() });
/** `position`: of the byte in the entry. `offset`: of the entry in its stored flush. */
const changeSchema = z.strictObject({ index: z.int(), flush: z.string(), offset: z.int(), position: z.int(), was: z.int(), is: z.int() });
const answer = z.object({ log: z.string(), tampered: z.boolean(), change: changeSchema.nullable() });

type Change = z.infer<typeof changeSchema>;

/** `file`: where the change is remembered. */
export function tamperRoute(database: Database, file: string): Route {
  return {
    method: "POST",
    path: "/v1/demo/tamper",
    summary: "Demo only: change one byte of one entry in the database, or put it back",
    body: { media: "application/json", bytesMax: 1_024, schema: body, description: '`{"undo":false}` or `{"undo":true}`.' },
    answers: { 200: { media: "application/json", description: "What is changed now; `change` null where nothing was", schema: answer } },
    refusals: ["wrong_state"],
    handle: async (received) => {
      const { undo } = received.body as z.infer<typeof body>;
      const standing = await remembered(file);
      const change = standing ?? (undo ? null : await choose(database));
      if (!change && !undo) return refuse({ code: "wrong_state" });
      // Remembered before it is done and forgotten after it is undone: a restart in between can still put it back.
      if (change && !undo && !standing) await writeFile(file, JSON.stringify(change));
      if (change) await setByte(database, change, undo ? change.was : change.is);
      if (undo) await rm(file, { force: true });
      return ok(json(JSON.stringify({ log, tampered: !undo, change })));
    },
  };
}

async function remembered(file: string): Promise<Change | null> {
  const text = await readFile(file, "utf8").catch(() => null);
  return text === null ? null : changeSchema.parse(JSON.parse(text));
}

const timeMark = Buffer.from('"time":"');
const secondsAt = "2026-01-01T00:00:0".length;

/** The middle entry, and the last digit of its seconds. `null` = the log is empty. */
async function choose(database: Database): Promise<Change | null> {
  const [row] = await database.query(
    `select log.size / 2, seq.index, flush_id, flush.entries from audit.log join audit.seq using (log) join audit.flush using (log, flush_id)
      where log = $1 and seq.index <= log.size / 2 order by seq.index desc limit 1`,
    [log],
  );
  if (!row) return null;
  const [index, first, flush, stored] = z.tuple([z.coerce.number(), z.coerce.number(), z.string(), z.instanceof(Uint8Array)]).parse(row);
  const entry = entriesOfFlush(stored)[index - first];
  if (!entry) return null;
  const position = Buffer.from(entry).indexOf(timeMark) + timeMark.length + secondsAt;
  const was = entry[position];
  return was === undefined ? null : { index, flush, offset: entry.byteOffset - stored.byteOffset, position, was, is: was ^ 1 };
}

async function setByte(database: Database, { flush, offset, position }: Change, value: number): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query("alter table audit.flush disable trigger append_only");
    await tx.query("update audit.flush set entries = set_byte(entries, $3, $4) where log = $1 and flush_id = $2", [
      log,
      flush,
      offset + position,
      value,
    ]);
    await tx.query("alter table audit.flush enable always trigger append_only");
  });
}
