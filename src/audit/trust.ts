/**
 * The trust file: the keys that a contract's owners were given when it was activated. Whoever verifies believes these and no others.
 * Trusted: whoever can change the file can make a forged log look right.
 */
import * as z from "zod";
import { canonicalBase64, fromBase64, keyId, toBase64 } from "../crypto/index.ts";
import { ok, type Result, refuse } from "../kernel/index.ts";
import { isSameLog } from "./epoch.ts";
import { formatVkey, type NoteKey, parseVkey } from "./note.ts";
import { type LogPolicy, parsePolicy } from "./quorum.ts";

const trustFormat = "postern-trust/1";

export interface NamedKey {
  /** `keyId` of the key. */
  readonly kid: string;
  /** 32 bytes, raw Ed25519. */
  readonly key: Uint8Array;
}

export interface Trust {
  /** The contract's log; its name is the log's origin. */
  readonly log: NoteKey;
  readonly gateway: NoteKey;
  /** The same two logs in their earlier epochs: what was handed out then holds under these. */
  readonly earlier: readonly NoteKey[];
  /** By kid: the keys under which flush heads count. */
  readonly writers: ReadonlyMap<string, Uint8Array>;
  readonly certificate: NamedKey;
  /** 32 bytes: under it the gateway log names this log's heads. A secret among those who may see how this log grows. */
  readonly rootKey: Uint8Array;
  /** Whose checkpoints count, and which witnesses must have cosigned them: the owner may ask for more than they were handed. */
  readonly policy: LogPolicy;
}

const namedKey = z.strictObject({ kid: z.string(), key: z.string() });
const trustSchema = z.strictObject({
  format: z.literal(trustFormat),
  log: z.string(),
  gateway: z.string(),
  earlier: z.array(z.string()).max(10_000),
  writers: z.array(namedKey).max(10_000),
  certificate: namedKey,
  root_key: canonicalBase64.length(44),
  policy: z.string(),
});

/** The file's text. */
export function formatTrust(trust: Trust): string {
  const file: z.infer<typeof trustSchema> = {
    format: trustFormat,
    log: formatVkey(trust.log),
    gateway: formatVkey(trust.gateway),
    earlier: trust.earlier.map(formatVkey),
    writers: [...trust.writers].map(([kid, key]) => ({ kid, key: toBase64(key) })),
    certificate: { kid: trust.certificate.kid, key: toBase64(trust.certificate.key) },
    root_key: toBase64(trust.rootKey),
    policy: trust.policy.text,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Refuses with one line that says what is wrong with the file. */
export function parseTrust(text: string): Result<Trust, string> {
  const file = trustSchema.safeParse(jsonOrNull(text));
  if (!file.success) return refuse(`trust file: ${describeIssue(file.error)}`);
  const { log, gateway } = file.data;
  const logKey = parseVkey(log);
  const gatewayKey = parseVkey(gateway);
  const earlier = file.data.earlier.flatMap((vkey) => parseVkey(vkey) ?? []);
  const certificate = parseNamedKey(file.data.certificate);
  if (logKey === null) return refuse("trust file: log is not a verifier key");
  if (gatewayKey === null) return refuse("trust file: gateway is not a verifier key");
  if (earlier.length < file.data.earlier.length) return refuse("trust file: earlier holds what is not a verifier key");
  if (earlier.some(({ name }) => !isSameLog(name, logKey.name) && !isSameLog(name, gatewayKey.name)))
    return refuse("trust file: earlier names another log");
  if (certificate === null) return refuse("trust file: certificate has a key that is not Ed25519, or not the one of its kid");
  const policy = parsePolicy(file.data.policy);
  if (!policy.ok) return refuse(`trust file: ${policy.refusal}`);
  // A policy about other logs would ask nothing of this one, and pass as if it were met.
  if (!policy.value.logs.some((key) => formatVkey(key) === log)) return refuse("trust file: policy does not name this log");
  const writers = new Map<string, Uint8Array>();
  for (const [i, writer] of file.data.writers.entries()) {
    const named = parseNamedKey(writer);
    if (named === null) return refuse(`trust file: writers[${i}] has a key that is not Ed25519, or not the one of its kid`);
    writers.set(named.kid, named.key);
  }
  return ok({
    log: logKey,
    gateway: gatewayKey,
    earlier,
    writers,
    certificate,
    rootKey: fromBase64(file.data.root_key),
    policy: policy.value,
  });
}

/** The key under which checkpoints of that origin count; `null` = none does. */
export function logKeyOf({ log, gateway, earlier }: Trust, origin: string): NoteKey | null {
  return [log, gateway, ...earlier].find(({ name }) => name === origin) ?? null;
}

/** `null` = not 32 bytes of canonical base64, or `kid` is another key's. */
export function parseNamedKey(named: { readonly kid: string; readonly key: string }): NamedKey | null {
  try {
    const key = fromBase64(named.key);
    return key.length === 32 && keyId(key) === named.kid ? { kid: named.kid, key } : null;
  } catch {
    return null;
  }
}

/** Where and what, never the value. */
export function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return "not of the form";
  const where = issue.path
    .map((part) => (typeof part === "number" ? `[${part}]` : String(part)))
    .join(".")
    .replaceAll(".[", "[");
  const what = issue.code === "unrecognized_keys" ? "has a key that is not known here" : `is missing or wrong (${issue.code})`;
  return where === "" ? what : `${where} ${what}`;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
