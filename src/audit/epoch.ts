/**
 * The epochs of a log. The first one's origin is `{log name}/{log}`, that of epoch n ends in `@n`: no id holds an `@`, so no other log can have that name.
 * An epoch begins where a database was set back for good. Its tree carries on from the entries that are still there, under an origin of its own.
 */
import * as z from "zod";
import { fromBase64 } from "../crypto/index.ts";
import type { Entry } from "./entry.ts";
import { hashBytes } from "./tree.ts";

const epochsMax = 9_999;
const withEpoch = /^(.*\/[^/@]+)@([2-9]|[1-9][0-9]{1,3})$/;

export interface OriginParts {
  /** The origin of the log's first epoch. */
  readonly base: string;
  /** From 1. */
  readonly epoch: number;
}

/** Any text is the origin of some log's first epoch, unless it ends like a later one's. */
export function readOrigin(origin: string): OriginParts {
  const [, base, epoch] = withEpoch.exec(origin) ?? [];
  return base === undefined ? { base: origin, epoch: 1 } : { base, epoch: Number(epoch) };
}

/** Throws a RangeError past the last epoch that a name has room for. */
export function originOf({ base, epoch }: OriginParts): string {
  if (epoch > epochsMax) throw new RangeError("a log has no more epochs than that");
  return epoch === 1 ? base : `${base}@${epoch}`;
}

/** Of the same log, from its first epoch to this one's. */
export function originsUpTo(origin: string): string[] {
  const { base, epoch } = readOrigin(origin);
  return Array.from({ length: epoch }, (_, i) => originOf({ base, epoch: i + 1 }));
}

export function isSameLog(one: string, other: string): boolean {
  return readOrigin(one).base === readOrigin(other).base;
}

/** Whether what was written under `earlier` has its place in the log that calls itself `origin`. */
export function belongsTo(earlier: string, origin: string): boolean {
  return isSameLog(earlier, origin) && readOrigin(earlier).epoch <= readOrigin(origin).epoch;
}

/** Places of the epoch before that are gone: `from` ≤ place < `to`. */
export interface LostInterval {
  readonly from: number;
  readonly to: number;
}

/** What `log.epoch_opened`, the first entry of an epoch, says. */
export interface Opened {
  /** The origin that was published last before. */
  readonly before: string;
  /** Its last published head: `lost.to` entries with this root. */
  readonly root: Uint8Array;
  readonly lost: LostInterval;
  /** Entries of the database that the epoch carries on from, whose number is its first entry's place. */
  readonly kept: number;
}

const place = z.number().int().min(0);
const factsSchema = z.object({
  before: z.string(),
  published: place,
  root: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  kept: place,
  lost_from: place,
});

/** `null` = not the facts of an epoch's first entry. */
export function readOpened({ event, facts }: Entry): Opened | null {
  const parsed = event === "log.epoch_opened" ? factsSchema.safeParse(facts) : null;
  if (!parsed?.success) return null;
  const { before, published, kept, lost_from: from } = parsed.data;
  const root = bytesOrNull(parsed.data.root);
  return root && from <= kept && from < published ? { before, root, kept, lost: { from, to: published } } : null;
}

function bytesOrNull(text: string): Uint8Array | null {
  try {
    const bytes = fromBase64(text);
    return bytes.length === hashBytes ? bytes : null;
  } catch {
    return null;
  }
}
