/**
 * The gateway log as the root of all others: once a minute an entry names the heads that were published since the last one, and an inventory of all.
 * claim the minute → read what is published → append → remember
 *
 * Whoever holds the gateway log to its witnesses holds all logs to it: one that was dropped, cut or shown in two versions contradicts what stands there.
 * Any number of keepers may run it; one of them has the minute.
 */
import { sha256, toBase64, toHex, utf8 } from "../crypto/index.ts";
import type { Database } from "../storage/index.ts";
import { peekCheckpoint } from "./checkpoint.ts";
import { gatewayLog, type LogHandles } from "./handles.ts";
import type { AuditLog } from "./log.ts";

/** Of about 200 bytes each: an entry has 65,535. */
const headsMax = 200;
/** A little less than the minute of whoever calls. */
const everySeconds = 50;

export interface RootLogParts {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
}

/** Answers how many entries it wrote: none where another one had this minute. Crash order: heads are remembered as announced once they are; one that dies between announces them again. */
export async function announceHeads({ database, audit, logs }: RootLogParts): Promise<number> {
  const claimed = await database.query(claimText, [gatewayLog, everySeconds]);
  if (claimed.length === 0) return 0;
  const heads = await selectHeads(database);
  const changed = heads.filter(({ isNew }) => isNew);
  const inventory = `sha256:${toHex(sha256(utf8(heads.map(({ line }) => `${line}\n`).join(""))))}`;
  const gateway = await logs.gateway(database);
  let entries = 0;
  do {
    const part = changed.slice(entries * headsMax, (entries + 1) * headsMax);
    await audit.append(gateway, {
      event: "log.heads",
      actor: { role: "system" },
      outcome: { effect: "allow", code: "announced" },
      facts: { logs: heads.length, inventory, heads: part.map(({ line }) => line) },
    });
    await database.query(rememberText, [JSON.stringify(part.map(({ log, size }) => ({ log, size })))]);
    entries++;
  } while (entries * headsMax < changed.length);
  return entries;
}

interface Head {
  readonly log: string;
  readonly size: number;
  /** `{log} {size} {root}`. */
  readonly line: string;
  readonly isNew: boolean;
}

/** Of every log but the gateway's own, by name; one without a checkpoint has size 0 and no root. */
async function selectHeads(database: Database): Promise<Head[]> {
  const rows = await database.query(headsText, [gatewayLog]);
  return rows.map(([name, note, announced]) => {
    const checkpoint = note === null ? null : peekCheckpoint(String(note));
    const size = checkpoint?.size ?? 0;
    const root = checkpoint === null ? "-" : toBase64(checkpoint.root);
    // A log is new also where it is empty and was never named; it is named once.
    return { log: String(name), size, line: `${name} ${size} ${root}`, isNew: announced === null || size > Number(announced) };
  });
}

const claimText = `insert into audit.upkeep as u (log, announced_at) values ($1, now())
  on conflict (log) do update set announced_at = now() where u.announced_at is null or u.announced_at < now() - make_interval(secs => $2::int)
  returning 1`;
const headsText = `select l.log, c.note, case when u.announced_at is null then null else u.announced end, now() from audit.log l
  left join audit.upkeep u on u.log = l.log
  left join lateral (select note from audit.checkpoint where log = l.log order by size desc limit 1) c on true
  where l.log <> $1 order by l.log collate "C"`;
const rememberText = `insert into audit.upkeep as u (log, announced, announced_at)
  select e.log, e.size, now() from jsonb_to_recordset($1::text::jsonb) as e(log text, size bigint)
  on conflict (log) do update set announced = greatest(u.announced, excluded.announced), announced_at = now()`;
