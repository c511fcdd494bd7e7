/** The derived tables that officers search: written by the sequencer with each batch, and made anew from the log itself. They prove nothing. */
import { fromUtf8 } from "../crypto/index.ts";
import type { Queryable } from "../storage/index.ts";
import { entriesOfFlush } from "./flush.ts";
import { selectFlushes } from "./postgres.ts";

/** At once, when the tables are made anew. */
const flushesMax = 32;

/** The derived tables that officers search; `rebuildSearch` makes the same rows from flush and seq. */
export async function insertSearch(tx: Queryable, log: string, from: number, entries: readonly Uint8Array[]): Promise<void> {
  const rows: SearchRow[] = [];
  const subjects = new Map<string, { subject: string; index: number }>();
  entries.forEach((bytes, i) => {
    const index = from + i;
    const found = searchRowOf(bytes, index);
    if (!found) return;
    rows.push(found.row);
    for (const subject of found.subjects) subjects.set(`${subject}/${index}`, { subject, index });
  });
  await tx.query(searchText, [log, JSON.stringify(rows)]);
  await tx.query(searchSubjectText, [log, JSON.stringify([...subjects.values()])]);
}

interface SearchRow {
  readonly index: number;
  readonly time: string;
  readonly event: string;
  readonly effect: string;
  readonly actor: string;
}

/** A writer's own entries are read without their whole schema (the verifier holds them to it); `null` = nothing to search by. */
function searchRowOf(bytes: Uint8Array, index: number): { row: SearchRow; subjects: readonly string[] } | null {
  const entry = looselyRead(bytes);
  const { time, event } = entry ?? {};
  const effect = entry?.outcome?.effect;
  const actor = entry?.actor?.id;
  const texts = [event, effect, actor].every((text) => typeof text === "string" && /^[\x20-\x7e]{1,256}$/.test(text));
  if (!texts || !isTime(time)) return null;
  const records = Array.isArray(entry?.resource?.records) ? entry.resource.records : [];
  const subjects = records.flatMap((record) =>
    typeof record?.subject === "string" && /^s_\w{1,64}$/.test(record.subject) ? [record.subject] : [],
  );
  return { row: { index, time, event: String(event), effect: String(effect), actor: String(actor) }, subjects };
}

/** As the writer writes it, and after 1970: what Postgres would refuse must not stop the log. */
function isTime(text: unknown): text is string {
  const ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return ms > 0 && new Date(ms).toISOString() === text;
}

interface LooseEntry {
  readonly time?: unknown;
  readonly event?: unknown;
  readonly outcome?: { readonly effect?: unknown };
  readonly actor?: { readonly id?: unknown };
  readonly resource?: { readonly records?: readonly ({ readonly subject?: unknown } | null)[] };
}

function looselyRead(bytes: Uint8Array): LooseEntry | null {
  try {
    return JSON.parse(fromUtf8(bytes)) as LooseEntry | null;
  } catch {
    return null;
  }
}

/** Empties the derived tables of one log and fills them from the log itself. */
export async function rebuildSearch(tx: Queryable, log: string): Promise<void> {
  await tx.query("delete from audit.search where log = $1", [log]);
  await tx.query("delete from audit.search_subject where log = $1", [log]);
  for (let from = 0; ; ) {
    const flushes = await selectFlushes(tx, log, { from, to: Number.MAX_SAFE_INTEGER, limit: flushesMax });
    for (const { index, stored } of flushes) await insertSearch(tx, log, index, stored ? entriesOfFlush(stored.entries) : []);
    const last = flushes.at(-1);
    if (last === undefined) return;
    from = last.index + 1;
  }
}

const searchText = `insert into audit.search (log, index, time, event, effect, actor)
  select $1, e.index, e.time, e.event, e.effect, e.actor
  from jsonb_to_recordset($2::text::jsonb) as e(index bigint, time timestamptz, event text, effect text, actor text)`;
const searchSubjectText = `insert into audit.search_subject (log, subject, index)
  select $1, e.subject, e.index from jsonb_to_recordset($2::text::jsonb) as e(subject text, index bigint)`;
