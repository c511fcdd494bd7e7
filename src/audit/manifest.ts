/**
 * What lies in an export, by name and form. The bytes around it (a tar) are `bundle.ts`'s; whether it is true is `verify.ts`'s.
 */
import * as z from "zod";
import { canonicalBase64, fromBase64 } from "../crypto/index.ts";
import { hashesFromBytes } from "./tree.ts";

export const exportFormat = "postern-export/2";

/** Members beside those of the tiles: three before them, or five where the log was pruned, and one behind. */
export const member = {
  manifest: "manifest.json",
  keys: "keys.json",
  checkpoint: "checkpoint",
  edge: "pruned/roots",
  pruned: "pruned/entry.json",
  orphans: "orphans.ndjson",
} as const satisfies Record<string, string>;

/** Of accepted flushes that have no place, an export names so many. */
export const orphansMax = 1_000;

const count = z.number().int().min(0);

/** The log's own row, as the database had it. */
export const manifestSchema = z.strictObject({
  format: z.literal(exportFormat),
  origin: z.string().min(1).max(512),
  /** The log's name: the contract's id, or `gateway`. */
  log: z.string().min(1).max(128),
  /** `halted`: open, and not numbered any further, because the stored log is not the one that was signed last. */
  state: z.enum(["open", "frozen", "halted"]),
  size: count,
  root: canonicalBase64,
  range: canonicalBase64,
  /** The first place that is there; everything before it was pruned. A multiple of 256. */
  /** Of the gateway log: the contract whose officers it was made for. What is not about it, nor about all logs, is there by its hash alone. */
  extract: z.string().min(1).max(128).optional(),
  min_index: count.refine((index) => index % 256 === 0),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Names keys, so that an export without a trust file can at least be checked against itself. */
export const keysSchema = z.strictObject({
  log: z.string(),
  writers: z.array(z.strictObject({ kid: z.string(), key: z.string() })),
});
export type ExportKeys = z.infer<typeof keysSchema>;

/** The entry that says so, and a receipt of it: from the log itself, or from the gateway's. */
export const prunedSchema = z.strictObject({ entry: canonicalBase64, receipt: z.string() });
export type PrunedEvidence = z.infer<typeof prunedSchema>;

/** A checkpoint as it was signed at the time. */
export const checkpointLineSchema = z.strictObject({ size: count, note: z.string() });
export type CheckpointLine = z.infer<typeof checkpointLineSchema>;

/** One numbered flush and its writer's signature. */
export const headLineSchema = z.strictObject({
  /** Its first place. */
  index: count,
  /** Places that the tree gives it. */
  size: count,
  /** The id beside the entries' bytes, null where that row is not there; and the one beside their places in the tree. */
  id: z.string().nullable(),
  seq_id: z.string(),
  /** Entries in its bytes; null where there are none. */
  entries: count.nullable(),
  head: z.string().nullable(),
  /** Hashes of its leaves that were pruned: its other ones are the first of the export. */
  pruned: canonicalBase64.optional(),
});
export type HeadLine = z.infer<typeof headLineSchema>;

/** Hashes of the flush's leaves that were pruned. */
export function prunedOf({ pruned }: HeadLine): readonly Uint8Array[] {
  return (pruned === undefined ? null : hashesFromBytes(fromBase64(pruned))) ?? [];
}

/** An accepted flush that is neither waiting nor in the tree. */
export const orphanLineSchema = z.strictObject({ id: z.string(), entries: count, head: z.string() });
export type OrphanLine = z.infer<typeof orphanLineSchema>;
