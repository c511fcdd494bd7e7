/**
 * Configuration: the environment's `POSTERN_…` variables and the operator's file, each one zod schema. What is unknown, missing or malformed
 * ends the start with one line that names the key and the cure; nothing is guessed.
 */
import { parseDocument } from "yaml";
import * as z from "zod";
import type { Freshness } from "./audit/index.ts";
import { issuerProblem, issuerSchema } from "./issuer-settings.ts";
import { isId, nearest } from "./kernel/index.ts";
import { retentionProblem, retentionSchema } from "./retention-settings.ts";
import { isPrivateUrl, type KeyServiceSetting, keyServiceForms, keyServiceVariables, parseKeyService } from "./root-key-settings.ts";
import { isLoopback, sinkProblem, sinkSchema } from "./sink-settings.ts";

export class ConfigRefused extends Error {
  constructor(line: string) {
    super(line);
    this.name = "ConfigRefused";
  }
}

const fileRef = z
  .string()
  .regex(/^file:.+$/, "must be file:PATH")
  .transform((text) => text.slice("file:".length));
const rootKey = z.string().transform((text, context): { readonly path: string } | { readonly service: KeyServiceSetting } => {
  const path = fileRef.safeParse(text);
  if (path.success) return { path: path.data };
  const service = parseKeyService(text);
  if (service) return { service };
  context.addIssue(`must be file:PATH, ${keyServiceForms}`);
  return z.NEVER;
});
const postgresUrl = z.string().refine(isPostgresUrl, "must be a postgres:// URL");
const fileOrPostgres = z.union(
  [fileRef.transform((path) => ({ path })), postgresUrl.transform((url) => ({ url }))],
  "must be file:PATH or a postgres:// URL",
);

const environmentSchema = z.object({
  NODE_ENV: z.string().optional(),
  PORT: z
    .string()
    .regex(/^[0-9]{1,5}$/, "must be a port number")
    .transform(Number)
    .refine((port) => port <= 65_535, "must be a port number")
    .default(8787),
  HOST: z.string().min(1).default("127.0.0.1"),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_URL_EDGE: postgresUrl.optional(),
  DATABASE_URL_KEEPER: postgresUrl.optional(),
  POSTERN_DATA: z.string().min(1).default("./data"),
  POSTERN_ROOT_KEY: rootKey.optional(),
  /** Where a key service holds the root key: its token, or what a `credential_process` prints. Read before each call. */
  POSTERN_ROOT_KEY_CREDENTIALS: fileRef.optional(),
  /** Read, and not wrapped under: while keys move from one root key to another (docs/KEYS.md). */
  POSTERN_ROOT_KEY_BESIDE: rootKey.optional(),
  POSTERN_ROOT_KEY_BESIDE_CREDENTIALS: fileRef.optional(),
  ...keyServiceVariables,
  POSTERN_LOG_KEY: fileRef.optional(),
  POSTERN_CERTIFICATE_KEY: fileRef.optional(),
  /** A directory for two keys, or one key's file where a process serves only one side. */
  POSTERN_WRITER_KEY: fileRef.optional(),
  POSTERN_SHARE_STORE: fileOrPostgres.optional(),
  /** How far the log was published, on another volume than the database. Default: beside the key shares. */
  POSTERN_ANCHOR: fileOrPostgres.optional(),
  POSTERN_LOG_NAME: z
    .string()
    .regex(/^[a-z0-9.-]+(\/[A-Za-z0-9._-]+)*$/, "must be a name like gw.example/postern")
    .default("localhost/postern"),
  POSTERN_ORIGIN: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }).default("http://127.0.0.1:8787"),
  POSTERN_CONFIG: z.string().min(1).default("postern.yaml"),
  POSTERN_INSECURE_HTTP: z.enum(["yes"]).optional(),
  /** Read by the command line alone. */
  POSTERN_TOKEN: z.string().optional(),
});

export type Environment = z.infer<typeof environmentSchema>;

/** What a process that serves needs. Throws ConfigRefused. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  return checkedEnvironment(readSettings(variables));
}

/** Reads what is ours out of `process.env` or a Worker's bindings, for commands that do not serve. Throws ConfigRefused. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): Environment {
  const known = Object.keys(environmentSchema.shape);
  for (const name of Object.keys(variables)) {
    if (name.startsWith("POSTERN_") && !known.includes(name)) {
      const near = nearest(name, known);
      throw new ConfigRefused(`${name} is not a setting${near ? `; did you mean ${near}?` : "; `postern serve --help` lists them"}`);
    }
  }
  const parsed = environmentSchema.safeParse(
    Object.fromEntries(known.map((name) => [name, variables[name] === "" ? undefined : variables[name]])),
  );
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigRefused(`${String(issue?.path[0])}: ${issue?.message ?? "malformed"}`);
}

function checkedEnvironment(environment: Environment): Environment {
  const { HOST, NODE_ENV, DATABASE_URL, DATABASE_URL_EDGE, DATABASE_URL_KEEPER, POSTERN_INSECURE_HTTP } = environment;
  const production = NODE_ENV === "production";
  if (production && POSTERN_INSECURE_HTTP)
    throw new ConfigRefused("POSTERN_INSECURE_HTTP is refused in production; put a TLS proxy on this host in front");
  if (!isLoopback(HOST) && !POSTERN_INSECURE_HTTP) {
    throw new ConfigRefused(
      `HOST ${HOST} would serve plain HTTP to others; keep 127.0.0.1 behind a TLS proxy, or set POSTERN_INSECURE_HTTP=yes outside production`,
    );
  }
  const served = DATABASE_URL_EDGE ?? DATABASE_URL_KEEPER;
  if (production && !served)
    throw new ConfigRefused(
      "DATABASE_URL_EDGE and DATABASE_URL_KEEPER are needed in production; the embedded database is for demo and development",
    );
  if (DATABASE_URL && !served)
    throw new ConfigRefused("DATABASE_URL is for `postern migrate`; serving needs DATABASE_URL_EDGE and DATABASE_URL_KEEPER as well");
  return environment;
}

const id = z.string().refine(isId, "must match [A-Za-z0-9][A-Za-z0-9._~-]*");
const person = z.strictObject({ issuer: id, subject: z.string().min(1).max(255) });
const witness = z.strictObject({
  /** Verifier key of its cosignatures: `name+hash+base64`. */
  key: z.string().regex(/^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/, "must be a witness's verifier key: name+hash+base64"),
  /** Its submission prefix. */
  url: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }),
  /** Whose own logs it watches beside the gateway log. */
  contracts: z.array(id).default([]),
});

const seconds = (min: number, max: number) => {
  const error = `must be whole seconds from ${min} to ${max}`;
  return z.int(error).min(min, error).max(max, error);
};
/** Edge and keeper are told the same: what is promised, and when readiness fails and disclosure stops, is one decision. */
const freshness = z
  .strictObject({
    merge_delay_seconds: seconds(60, 3_600).default(300),
    disclosure_stops_seconds: seconds(61, 86_400).default(600),
  })
  .refine((log) => log.disclosure_stops_seconds > log.merge_delay_seconds, {
    path: ["disclosure_stops_seconds"],
    error: "must be more than merge_delay_seconds: until then nothing that was promised is broken",
  })
  .transform((log): Freshness => ({ mergeDelaySeconds: log.merge_delay_seconds, disclosureStopsSeconds: log.disclosure_stops_seconds }));

const operatorFileSchema = z.strictObject({
  issuers: z.array(issuerSchema).min(1),
  merchants: z.record(
    id,
    z.strictObject({
      owners: z.array(person).min(2, "needs at least two owners: nobody approves their own act"),
      officers: z.array(person).default([]),
      /** Where the merchant holds share C of its contracts' keys (docs/SHARE-C.md). */
      share_holder: z
        .string()
        .refine((text) => isPrivateUrl(text), "must be an https:// URL")
        .optional(),
    }),
  ),
  vendors: z.record(id, z.strictObject({ issuers: z.array(id).min(1) })).default({}),
  operators: z.array(person).default([]),
  /** Other systems that are told what the log holds. */
  sinks: z.array(sinkSchema).max(16).default([]),
  /** Raw Ed25519 public keys in base64 of writers in other processes, for the trust file. */
  writers: z.array(z.base64()).default([]),
  /** Who is asked to cosign the log's checkpoints. */
  witnesses: z.array(witness).default([]),
  /** How long an entry may wait for its place in the log. */
  log: freshness.prefault({}),
  /** Whole months that the log's entries are kept after the end of the month that they are of. */
  retention: retentionSchema.prefault({}),
});

export type OperatorFile = z.infer<typeof operatorFileSchema>;

/** Reads `postern.yaml`. `name`: how the file is called in the error. Throws ConfigRefused. */
export function readOperatorFile(text: string, name: string, production: boolean): OperatorFile {
  const document = parseDocument(text, { uniqueKeys: true, merge: false, maxAliasCount: 0, version: "1.2" } as Parameters<
    typeof parseDocument
  >[1]);
  const [error] = document.errors;
  if (error) throw new ConfigRefused(`${name}:${error.linePos?.[0].line ?? 1}: ${error.code}`);
  const parsed = operatorFileSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigRefused(`${name}: ${issue?.path.join(".") || "file"}: ${issue?.message ?? "malformed"}`);
  }
  checkPeople(parsed.data, name);
  const { retention, sinks } = parsed.data;
  const problem = issuerProblem(parsed.data, production) ?? retentionProblem(retention, production) ?? sinkProblem(sinks, production);
  if (problem) throw new ConfigRefused(`${name}: ${problem}`);
  return parsed.data;
}

function checkPeople(file: OperatorFile, name: string): void {
  const issuers = new Set(file.issuers.map((issuer) => issuer.id));
  const people = [...file.operators, ...Object.values(file.merchants).flatMap((merchant) => [...merchant.owners, ...merchant.officers])];
  for (const { issuer } of people) {
    if (!issuers.has(issuer)) throw new ConfigRefused(`${name}: ${issuer} is not one of the issuers`);
  }
  const nameOf = (holder: { issuer: string; subject: string }) => `${holder.issuer}/${holder.subject}`;
  for (const [merchant, { owners, officers }] of Object.entries(file.merchants)) {
    const distinct = new Set(owners.map(nameOf));
    if (distinct.size < owners.length) throw new ConfigRefused(`${name}: merchants.${merchant}.owners: one person stands twice`);
    const both = officers.find((officer) => distinct.has(nameOf(officer)));
    if (both) throw new ConfigRefused(`${name}: merchants.${merchant}.officers: ${nameOf(both)} is also an owner`);
  }
}

function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== "";
}
