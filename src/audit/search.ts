/** The derived tables that officers search: written by the sequencer with each batch, and made anew from the log itself. They prove nothing. */
import { fromUtf8, sha256, toBase64Url, utf8 } from "../crypto/index.ts";
import { isId } from "../kernel/index.ts";
import type { Queryable } from "../storage/index.ts";
import { entriesOfFlush } from "./flush.ts";
import { gatewayLog } from "./handles.ts";
import { selectFlushes, selectLog } from "./postgres.ts";

/** At once, when the tables are made anew. */
const flushesMax = 32;

/** One statement for a whole batch; `rebuildSearch` makes the same rows from flush and seq. */
export async function insertSearch(tx: Queryable, log: string, from: number, entries: readonly Uint8Array[]): Promise<void> {
  const rows: SearchRow[] = [];
  const subjects = new Map<string, { subject: string; index: number }>();
  const sets = new Map<string, { id: string; fields: unknown }>();
  entries.forEach((bytes, i) => {
    const entry = looselyRead(bytes);
    const row = entry && searchRowOf(entry, from + i, log === gatewayLog);
    if (!row) return;
    for (const subject of subjectsOf(entry)) subjects.set(`${subject}/${row.index}`, { subject, index: row.index });
    rows.push({ ...row, fields: setOf(entry, sets) });
  });
  await tx.query(searchText, [log, ...[rows, [...subjects.values()], [...sets.values()]].map((list) => JSON.stringify(list))]);
}

interface SearchRow {
  readonly index: number;
  readonly time: string;
  readonly event: string;
  readonly effect: string;
  readonly actor: string;
  readonly purpose: string | null;
  readonly contract: string | null;
  readonly fields: string | null;
}

/** A writer's own entries are read without their whole schema (the verifier holds them to it); `null` = nothing to search by. */
function searchRowOf(entry: LooseEntry, index: number, isGateway: boolean): Omit<SearchRow, "fields"> | null {
  const { time, event } = entry;
  const effect = entry.outcome?.effect;
  const actor = entry.actor?.id;
  const purpose = entry.reason?.purpose;
  const contract = isGateway ? entry.facts?.contract : null;
  if (![event, effect, actor].every((text) => typeof text === "string" && /^[\x20-\x7e]{1,256}$/.test(text)) || !isTime(time)) return null;
  return {
    index,
    time,
    event: String(event),
    effect: String(effect),
    actor: String(actor),
    purpose: typeof purpose === "string" && isStorable(purpose) ? purpose : null,
    contract: typeof contract === "string" && isId(contract) ? contract : null,
  };
}

/** Pseudonyms of whom the entry is about. A refused ask may name no more than the record's locator, and is found by that. */
function subjectsOf(entry: LooseEntry): string[] {
  const records = Array.isArray(entry.resource?.records) ? entry.resource.records : [];
  return records.flatMap((record) => {
    const name = record?.subject ?? record?.locator;
    return typeof name === "string" && /^[sr]_\w{1,64}$/.test(name) ? [name] : [];
  });
}

/** The id of the entry's fields, which it adds to `sets`; `null` where it names none. */
function setOf(entry: LooseEntry, sets: Map<string, { id: string; fields: unknown }>): string | null {
  const fields = entry.resource?.fields;
  if (typeof fields !== "object" || fields === null) return null;
  const text = JSON.stringify(fields);
  const known = sets.get(text);
  if (known) return known.id;
  const pairs = Object.entries(fields);
  if (pairs.length === 0 || !pairs.flat().every((text) => typeof text === "string" && isStorable(text))) return null;
  const made = { id: toBase64Url(sha256(utf8(text))).slice(0, 22), fields };
  sets.set(text, made);
  return made.id;
}

/** What Postgres takes as text, within bounds. */
function isStorable(text: string): boolean {
  return text.length <= 256 && text.isWellFormed() && !/\p{Cc}/u.test(text);
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
  readonly reason?: { readonly purpose?: unknown };
  readonly facts?: { readonly contract?: unknown };
  readonly resource?: {
    readonly records?: readonly ({ readonly subject?: unknown; readonly locator?: unknown } | null)[];
    readonly fields?: unknown;
  };
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
  for (const table of ["search", "search_fields", "search_subject"]) await tx.query(`delete from audit.${table} where log = $1`, [log]);
  const minIndex = (await selectLog(tx, log))?.minIndex ?? 0;
  for (let from = 0; ; ) {
    const flushes = await selectFlushes(tx, log, { from, to: Number.MAX_SAFE_INTEGER, limit: flushesMax });
    for (const { index, stored } of flushes) {
      const first = Math.max(index, minIndex);
      await insertSearch(tx, log, first, stored ? entriesOfFlush(stored.entries).slice(first - index) : []);
    }
    const last = flushes.at(-1);
    if (last === undefined) return;
    from = last.index + 1;
  }
}

const searchText = `with subjects as (
    insert into audit.search_subject (log, subject, index)
    select $1, e.subject, e.index from jsonb_to_recordset($3::text::jsonb) as e(subject text, index bigint)),
  sets as (
    insert into audit.search_fields (log, fields_id, fields)
    select $1, e.id, e.fields from jsonb_to_recordset($4::text::jsonb) as e(id text, fields jsonb) on conflict do nothing)
  insert into audit.search (log, index, time, event, effect, actor, purpose, contract, fields_id)
  select $1, e.index, e.time, e.event, e.effect, e.actor, e.purpose, e.contract, e.fields
  from jsonb_to_recordset($2::text::jsonb) as e(index bigint, time timestamptz, event text, effect text, actor text, purpose text, contract text,
    fields text)`;
