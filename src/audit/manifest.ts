/**
 * What lies in an export, by name and form. The bytes around it (a tar) are `bundle.ts`'s; whether it is true is `verify.ts`'s.
 */
import * as z from "zod";

/** The members of an export by name. */
export type Bundle = ReadonlyMap<string, Uint8Array>;

export const exportFormat = "postern-export/1";

/** Members beside the tiles. */
export const member = {
  manifest: "manifest.json",
  keys: "keys.json",
  checkpoint: "checkpoint",
  checkpoints: "checkpoints.ndjson",
  heads: "heads.ndjson",
} as const satisfies Record<string, string>;

const count = z.number().int().min(0);
const base64 = z.base64();

/** The log's own row, as the database had it, and how much of everything there is. */
export const manifestSchema = z.strictObject({
  format: z.literal(exportFormat),
  origin: z.string().min(1).max(512),
  /** The log's name: the contract's id, or `gateway`. */
  log: z.string().min(1).max(128),
  /** `halted`: open, and not numbered any further, because the stored log is not the one that was signed last. */
  state: z.enum(["open", "frozen", "halted"]),
  size: count,
  root: base64,
  range: base64,
  /** Lines of `checkpoints.ndjson`. */
  checkpoints: count,
  /** Lines of `heads.ndjson`. */
  flushes: count,
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Names keys, so that an export without a trust file can at least be checked against itself. */
export const keysSchema = z.strictObject({
  log: z.string(),
  writers: z.array(z.strictObject({ kid: z.string(), key: z.string() })),
});
export type ExportKeys = z.infer<typeof keysSchema>;

/** A checkpoint as it was signed at the time. */
export const checkpointLineSchema = z.strictObject({ size: count, note: z.string() });
export type CheckpointLine = z.infer<typeof checkpointLineSchema>;

/** One accepted flush and its writer's signature. `index`: its first place; null: accepted, and neither waiting nor in the tree. */
export const headLineSchema = z.strictObject({
  index: count.nullable(),
  /** Places that the tree gives it. */
  size: count,
  /** The id beside the entries' bytes, and the one beside their places in the tree; null where that row is not there. */
  id: z.string().nullable(),
  seq_id: z.string().nullable(),
  /** Entries in its bytes; null where there are none. */
  entries: count.nullable(),
  head: z.string().nullable(),
});
export type HeadLine = z.infer<typeof headLineSchema>;
