/**
 * The environment's `POSTERN_…` variables, as one zod schema. What is unknown, missing or malformed ends the start with one line that names the key
 * and the cure; nothing is guessed.
 */
import * as z from "zod";
import { nearest } from "./kernel/index.ts";
import { ConfigRefused } from "./operator-settings.ts";
import { type KeyServiceSetting, keyServiceForms, keyServiceVariables, parseKeyService } from "./root-key-settings.ts";
import { isLoopback } from "./sink-settings.ts";

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

function isPostgresUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== "";
}
