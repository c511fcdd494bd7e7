/** What a saved copy's manifest says, and how somebody with the trust file holds a file against it. */
import * as z from "zod";
import { isSameLog, type Trust } from "../audit/index.ts";
import { type VerifySignature, verifyJws } from "../crypto/index.ts";

export const exportManifestTyp = "postern-export-manifest+jws";
export const exportManifestForm = "postern-export-manifest/1";

const place = z.int().min(0);

const exportManifestSchema = z.strictObject({
  form: z.literal(exportManifestForm),
  contract: z.string(),
  origin: z.string(),
  format: z.string(),
  /** What was asked for; people as the log's pseudonyms. */
  filter: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  /** How long the log was that the copy is of, and the first checkpoint that covers it; `null` = not signed yet. */
  tree: z.strictObject({ size: place, checkpoint: z.string().nullable() }),
  /** Indexes in the log: where the copy begins to look, and its first and last entry. */
  from: place,
  first: place.nullable(),
  last: place.nullable(),
  entries: place,
  /** Of the file: its first so many bytes, whole records all, have this digest (base64). */
  bytes: place,
  sha256: z.string(),
  /** Whether that is all that the question finds. */
  complete: z.boolean(),
  /** Names the copy, to its officer alone. */
  cursor: z.string(),
  /** Goes on behind `last`; `null` where it is complete. */
  next: z.string().nullable(),
});

export type ExportManifest = z.infer<typeof exportManifestSchema>;

export interface ManifestVerdict {
  /** Signed by the trusted key, and the file is what was signed, all of it. */
  readonly ok: boolean;
  readonly manifest: ExportManifest | null;
  readonly problems: readonly string[];
}

/** `file`: what the copy at hand is. Needs no gateway. */
export async function verifyExportManifest(
  jws: string,
  file: { readonly bytes: number; readonly sha256: string },
  trust: Trust,
  verify: VerifySignature,
): Promise<ManifestVerdict> {
  const keys = new Map([[trust.certificate.kid, trust.certificate.key]]);
  const opened = await verifyJws(jws.trim(), exportManifestTyp, keys, verify);
  if (!opened) return { ok: false, manifest: null, problems: ["not signed by the trusted certificate key"] };
  const manifest = readExportManifest(opened.payload);
  if (!manifest) return { ok: false, manifest: null, problems: ["not a manifest of a form that this version knows"] };
  const problems: string[] = [];
  if (!isSameLog(manifest.origin, trust.log.name)) problems.push("the manifest is of another log than the trust file's");
  if (file.bytes < manifest.bytes) problems.push(`the file ends after ${file.bytes} of ${manifest.bytes} bytes`);
  else if (file.bytes > manifest.bytes) problems.push(`the file has ${file.bytes - manifest.bytes} bytes more than was signed`);
  else if (file.sha256 !== manifest.sha256) problems.push("the file is not what was signed");
  if (!manifest.complete) problems.push("the copy is incomplete: it was cut and did not go on");
  return { ok: problems.length === 0, manifest, problems };
}

/** `null` = not one. */
export function readExportManifest(payload: string): ExportManifest | null {
  try {
    return exportManifestSchema.safeParse(JSON.parse(payload)).data ?? null;
  } catch {
    return null;
  }
}
