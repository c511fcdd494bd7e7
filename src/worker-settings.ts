/**
 * What a Worker is set up with: variables, secrets and bindings, read once an isolate. What is missing, malformed or not for the edge is refused
 * with one line that names the setting and the cure, never its value.
 */
import * as z from "zod";
import { ConfigRefused, type OperatorFile, readOperatorFile } from "./config.ts";
import { fromBase64 } from "./crypto/index.ts";
import type { IssuerProfile } from "./identity/index.ts";

export interface WorkerSettings {
  readonly databaseUrl: string;
  readonly sharesUrl: string;
  /** 32 bytes each. */
  readonly rootKey: Uint8Array;
  readonly writerSeed: Uint8Array;
  readonly logName: string;
  readonly origin: string;
  readonly issuers: readonly IssuerProfile[];
  readonly merchants: OperatorFile["merchants"];
}

/** What the edge must not hold, and whose it is. A stolen edge then cannot forge a checkpoint or a certificate, nor write as the keeper. */
const notForTheEdge: Readonly<Record<string, string>> = {
  POSTERN_LOG_KEY: "the log key signs checkpoints and belongs to the keeper alone",
  POSTERN_CERTIFICATE_KEY: "the certificate key belongs to the keeper alone",
  DATABASE_URL_KEEPER: "the keeper's database role belongs to the keeper alone",
  DATABASE_URL: "the owner's database role is for `postern migrate`",
};

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\/[^/]/, "must be a postgres:// URL");
const hyperdrive = z.object({ connectionString: postgresUrl });
const secretKey = z
  .string("is missing; set the secret to the output of: openssl rand -base64 32")
  .regex(/^[A-Za-z0-9+/]{43}=$/, "must be 32 bytes in base64 on one line")
  .transform(fromBase64)
  .refine((key) => !key.every((byte) => byte === key[0]), "is not random; make one with: openssl rand -base64 32");

const settingsSchema = z.object({
  NODE_ENV: z.string().optional(),
  HYPERDRIVE: hyperdrive.optional(),
  SHARES: hyperdrive.optional(),
  DATABASE_URL_EDGE: postgresUrl.optional(),
  POSTERN_SHARE_STORE: postgresUrl.optional(),
  POSTERN_ROOT_KEY: secretKey,
  POSTERN_WRITER_KEY: secretKey,
  POSTERN_LOG_NAME: z
    .string("is missing; it must be the keeper's")
    .regex(/^[a-z0-9.-]+(\/[A-Za-z0-9._-]+)*$/, "must be a name like gw.example/postern"),
  POSTERN_ORIGIN: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }),
  POSTERN_CONFIG: z.string("is missing; it holds the text of the operator's file"),
});

/** Throws ConfigRefused. */
export function readWorkerSettings(env: Readonly<Record<string, unknown>>): WorkerSettings {
  for (const name of Object.keys(env)) {
    const why = notForTheEdge[name];
    if (why) throw new ConfigRefused(`${name} must not be set here: ${why}`);
    if (name.startsWith("POSTERN_") && !Object.hasOwn(settingsSchema.shape, name))
      throw new ConfigRefused(`${name} is not a setting of the edge`);
  }
  const parsed = settingsSchema.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigRefused(`${issue?.path.join(".")} ${issue?.message ?? "is malformed"}`);
  }
  const settings = parsed.data;
  const databaseUrl = settings.HYPERDRIVE?.connectionString ?? settings.DATABASE_URL_EDGE;
  if (!databaseUrl) throw new ConfigRefused("HYPERDRIVE is missing; bind it, or set DATABASE_URL_EDGE where there is no Hyperdrive");
  const sharesUrl = settings.SHARES?.connectionString ?? settings.POSTERN_SHARE_STORE;
  if (!sharesUrl) throw new ConfigRefused("SHARES is missing; bind it, or set POSTERN_SHARE_STORE where there is no Hyperdrive");
  return {
    databaseUrl,
    sharesUrl,
    rootKey: settings.POSTERN_ROOT_KEY,
    writerSeed: settings.POSTERN_WRITER_KEY,
    logName: settings.POSTERN_LOG_NAME,
    origin: settings.POSTERN_ORIGIN,
    ...readOperators(settings.POSTERN_CONFIG, settings.NODE_ENV === "production"),
  };
}

function readOperators(text: string, production: boolean): Pick<WorkerSettings, "issuers" | "merchants"> {
  const { issuers, merchants } = readOperatorFile(text, "POSTERN_CONFIG", production);
  const profiles = issuers.map((issuer) => {
    if ("built_in" in issuer) throw new ConfigRefused("POSTERN_CONFIG: issuers: the built-in issuer's key is not at the edge");
    return { id: issuer.id, issuer: issuer.issuer, audience: issuer.audience, keys: { jwks: new URL(issuer.jwks) } };
  });
  return { issuers: profiles, merchants };
}
