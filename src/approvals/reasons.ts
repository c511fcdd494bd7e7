/**
 * Typed reasons: why somebody asks for a second owner, and why that one decides so. Beside the request for whoever has to decide, sealed like the details of
 * the entry that says it, under the same key: both go when the log's month goes.
 */
import { fromBase64, fromUtf8, open, seal, toBase64, utf8 } from "../crypto/index.ts";
import { canonicalJson, type Refusal } from "../kernel/index.ts";
import { monthOf } from "../keys/index.ts";
import type { Entered, OfficeDoor, Visit } from "../offices/index.ts";
import type { Queryable } from "../storage/index.ts";

export type ReasonKeys = Pick<OfficeDoor, "aead" | "auditKeys">;

/** What is said, and in which log. */
export interface Said {
  readonly keys: ReasonKeys;
  readonly log: string;
  readonly reason: string | undefined;
}

/** What shows more or deletes is not asked for, and no request turned down, without a word. `null` = it was said. */
export function refusalOfSilence({ request }: Visit): Refusal | null {
  return request.reason === undefined ? { code: "reason_required" } : null;
}

/** What somebody who came through the door says of their act. */
export function saidOf(door: OfficeDoor, { request }: Visit, { log }: Pick<Entered, "log">): Said {
  return { keys: door, log: log.log, reason: request.reason };
}

/** `about`: what it is the reason of. `now`: milliseconds. `null` = nothing was said. */
export async function sealReason(tx: Queryable, { keys, log, reason }: Said, about: string, now: number): Promise<string | null> {
  if (reason === undefined) return null;
  const month = monthOf(new Date(now));
  const key = await keys.auditKeys.keyOf(tx, log, month);
  return `${log} ${month} ${toBase64(seal(keys.aead, key, placeOf(log, month, about), utf8(reason)))}`;
}

/** `null` = nothing was said, or the key is gone with its month. */
export async function openReason(database: Queryable, keys: ReasonKeys, sealed: string | null, about: string): Promise<string | null> {
  const [log = "", month = "", box = ""] = sealed?.split(" ") ?? [];
  const key = box === "" ? null : await keys.auditKeys.standingKeyOf(database, log, month);
  const text = key && open(keys.aead, key, placeOf(log, month, about), fromBase64(box));
  return text && fromUtf8(text);
}

function placeOf(log: string, month: string, about: string): Uint8Array {
  return utf8(canonicalJson([log, month, about, "reason"]));
}
