/**
 * The gateway log as the root of all others: once a minute an entry names the heads that were published since the last one, and an inventory of all.
 * claim the minute → read what is published → append → remember
 *
 * Whoever holds the gateway log to its witnesses holds all logs to it: one that was dropped, cut or shown in two versions contradicts what stands there.
 * Any number of keepers may run it; one of them has the minute, and gives it up where it cannot write within it: announcements do not overtake each other.
 */
import { type Aead, sha256, toBase64, toHex, utf8 } from "../crypto/index.ts";
import type { Database } from "../storage/index.ts";
import { peekCheckpoint } from "./checkpoint.ts";
import { gatewayLog, type LogHandles } from "./handles.ts";
import type { AuditLog } from "./log.ts";
import { nameInRoot, rootKeyOf, sealHead } from "./root-line.ts";

/** Of about 190 bytes each: an entry has 65,535. */
const headsMax = 200;
/** A little less than the minute of whoever calls. */
const everySeconds = 50;
const appendWithinMs = 20_000;

export interface RootLogParts {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly logs: LogHandles;
  readonly aead: Aead;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Answers how many entries it wrote: none where another one had this minute. Crash order: heads are remembered as announced once they are; one that dies between announces them again. */
export async function announceHeads({ database, audit, logs, aead, now }: RootLogParts): Promise<number> {
  const begun = now();
  const claimed = await database.query(claimText, [gatewayLog, everySeconds]);
  if (claimed.length === 0) return 0;
  const gateway = await logs.gateway(database);
  const heads = (await selectHeads(database, logs)).map((head) => ({ ...head, key: rootKeyOf(gateway.pseudonymKey, head.log) }));
  const inventory = inventoryOf(heads.map(({ key }) => nameInRoot(key)));
  // In an order that says nothing of whose they are.
  const changed = heads
    .filter(({ isNew }) => isNew)
    .map((head) => ({ ...head, line: sealHead(aead, head.key, head) }))
    .sort((a, b) => (a.line < b.line ? -1 : 1));
  let entries = 0;
  do {
    if (now() - begun > appendWithinMs) return entries;
    const part = changed.slice(entries * headsMax, (entries + 1) * headsMax);
    await audit.append(gateway, {
      event: "log.heads",
      actor: { role: "system" },
      outcome: { effect: "allow", code: "announced" },
      facts: {
        logs: heads.length,
        inventory,
        heads: part.map(({ line }) => line),
        more: Math.max(0, changed.length - (entries + 1) * headsMax),
      },
    });
    await database.query(rememberText, [JSON.stringify(part.map(({ log, size }) => ({ log, size })))]);
    entries++;
  } while (entries * headsMax < changed.length);
  return entries;
}

/** Of all logs by their names in the root log: one that is there no more is missed by whoever knows the names of before. */
export function inventoryOf(names: readonly string[]): string {
  return `sha256:${toHex(
    sha256(
      utf8(
        names
          .toSorted()
          .map((name) => `${name}\n`)
          .join(""),
      ),
    ),
  )}`;
}

interface Head {
  readonly log: string;
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly isNew: boolean;
}

/** Of every log but the gateway's own; one without a checkpoint has size 0 and no root. */
async function selectHeads(database: Database, logs: LogHandles): Promise<Head[]> {
  const rows = await database.query(headsText, [gatewayLog]);
  return rows.map(([name, note, announced]) => {
    const log = String(name);
    const checkpoint = note === null ? null : peekCheckpoint(String(note));
    const size = checkpoint?.size ?? 0;
    const root = checkpoint === null ? "-" : toBase64(checkpoint.root);
    // A log is new also where it is empty and was never named; it is named once.
    return { log, origin: checkpoint?.origin ?? logs.baseOf(log), size, root, isNew: announced === null || size > Number(announced) };
  });
}

const claimText = `insert into audit.upkeep as u (log, announced_at) values ($1, now())
  on conflict (log) do update set announced_at = now() where u.announced_at is null or u.announced_at < now() - make_interval(secs => $2::int)
  returning 1`;
const headsText = `select l.log, c.note, case when u.announced_at is null then null else u.announced end, now() from audit.log l
  left join audit.upkeep u on u.log = l.log
  left join lateral (select note from audit.checkpoint where log = l.log order by size desc limit 1) c on true
  where l.log <> $1`;
const rememberText = `insert into audit.upkeep as u (log, announced, announced_at)
  select e.log, e.size, now() from jsonb_to_recordset($1::text::jsonb) as e(log text, size bigint)
  on conflict (log) do update set announced = greatest(u.announced, excluded.announced), announced_at = now()`;
