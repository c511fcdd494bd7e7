/** How far a witness has come, by what the database holds: for the operator. What is stored as a cosignature counts only where it is one. */
import type { VerifySignature } from "../crypto/index.ts";
import { type Database, databaseNowText } from "../storage/index.ts";
import { openCosignatures, type WitnessKey } from "./cosignature.ts";
import { msOfFlush } from "./upkeep.ts";
import { storedNameOf } from "./witness-client.ts";

export interface WitnessProgress {
  /** Entries under the newest checkpoint. */
  readonly published: number;
  /** Entries under the newest checkpoint that it cosigned. */
  readonly cosigned: number;
  /** When it did, by its own clock: milliseconds. `null` = never, or what is stored is no cosignature of its key. */
  readonly cosignedAt: number | null;
  /** For how long the oldest entry behind that has been in the log: milliseconds. 0: it is not behind. */
  readonly behindMs: number;
}

export async function selectWitnessProgress(
  database: Database,
  { log, key }: { readonly log: string; readonly key: WitnessKey },
  verifySignature: VerifySignature,
): Promise<WitnessProgress> {
  const [row] = await database.query(progressText, [log, storedNameOf(key)]);
  const [published, cosigned, note, firstBehind, now] = row ?? [];
  const [cosignature] = note ? await openCosignatures(String(note), [key], verifySignature) : [];
  const isBehind = Number(published) > Number(cosigned);
  return {
    published: Number(published),
    cosigned: Number(cosigned),
    cosignedAt: cosignature ? cosignature.time * 1_000 : null,
    behindMs: isBehind ? Math.max(0, Number(now) - msOfFlush(String(firstBehind))) : 0,
  };
}

const progressText = `select coalesce((select max(size) from audit.checkpoint where log = $1), 0), coalesce(w.size, 0), c.note || w.line,
    (select flush_id from audit.seq where log = $1 and index >= coalesce(w.size, 0) order by index limit 1), ${databaseNowText}
  from (select 1) one
  left join lateral (select size, line from audit.cosignature where log = $1 and witness = $2 order by size desc limit 1) w on true
  left join audit.checkpoint c on c.log = $1 and c.size = w.size`;
