/**
 * What a Worker script is set up with: variables, secrets and bindings, read once an isolate. What is missing, malformed or another script's is
 * refused with one line that names the setting and the cure, never its value.
 */
import * as z from "zod";
import { askedWitnesses } from "./asked-witnesses.ts";
import type { AskedWitness } from "./audit/index.ts";
import { equalBytes, fromBase64 } from "./crypto/index.ts";
import type { IssuerProfile } from "./identity/index.ts";
import { issuerProfile } from "./issuer-settings.ts";
import type { KeyService } from "./keys/index.ts";
import { openKeyService } from "./open-key-holders.ts";
import { ConfigRefused, type OperatorFile, readOperatorFile } from "./operator-settings.ts";
import { isKeyService, keyServiceForms, keyServiceVariables, parseKeyService } from "./root-key-settings.ts";

export interface WorkerSettings {
  readonly databaseUrl: string;
  readonly sharesUrl: string;
  readonly rootKey: Uint8Array | KeyService;
  /** Read beside it while keys move from one to the other; `null` = there is none. */
  readonly rootKeyBeside: Uint8Array | KeyService | null;
  /** 32 bytes. */
  readonly writerSeed: Uint8Array;
  readonly logName: string;
  readonly origin: string;
  readonly issuers: readonly IssuerProfile[];
  readonly merchants: OperatorFile["merchants"];
  readonly vendors: OperatorFile["vendors"];
  readonly operators: OperatorFile["operators"];
  readonly freshness: OperatorFile["log"];
  readonly sessions: OperatorFile["sessions"];
}

export interface KeeperSettings extends WorkerSettings {
  /** 32 bytes each. */
  readonly logSeed: Uint8Array;
  readonly certificateSeed: Uint8Array;
  /** Raw public keys of the writers of edges and directories; at least one. */
  readonly writers: readonly Uint8Array[];
  readonly witnesses: readonly AskedWitness[];
  readonly retentionMonths: number;
}

type Environment = Readonly<Record<string, unknown>>;

/** One script: its name, and what it must not hold and why. */
interface Script {
  readonly name: string;
  readonly foreign: Readonly<Record<string, string>>;
}

const ownersRole = "the owner's database role is for `postern migrate`";
const keepersRole = "the keeper's database role belongs to the keeper alone";
const signingKeys = {
  POSTERN_LOG_KEY: "the log key signs checkpoints and belongs to the keeper alone",
  POSTERN_CERTIFICATE_KEY: "the certificate key belongs to the keeper alone",
};

/** A stolen edge cannot forge a checkpoint or a certificate, nor write as the keeper. */
const edge: Script = {
  name: "the edge",
  foreign: {
    ...signingKeys,
    DATABASE_URL_DIRECTORY: "the directory's database role belongs to the directory alone",
    DATABASE_URL_KEEPER: keepersRole,
    DATABASE_URL: ownersRole,
  },
};

/** As the edge. What it may write besides are seats, which its role alone gives. */
const directory: Script = {
  name: "the directory",
  foreign: {
    ...signingKeys,
    DATABASE_URL_EDGE: "the edge's database role is for the edge; the directory's is DATABASE_URL_DIRECTORY",
    DATABASE_URL_KEEPER: keepersRole,
    DATABASE_URL: ownersRole,
  },
};

const keeper: Script = {
  name: "the keeper",
  foreign: {
    DATABASE_URL_DIRECTORY: "the directory's database role is for the directory; the keeper's is DATABASE_URL_KEEPER",
    DATABASE_URL_EDGE: "the edge's database role is for the edge; the keeper's is DATABASE_URL_KEEPER",
    DATABASE_URL: ownersRole,
  },
};

const postgresUrl = z.string("must be a postgres:// URL").regex(/^postgres(ql)?:\/\/[^/]/, "must be a postgres:// URL");
const hyperdrive = z.object({ connectionString: postgresUrl }, "must be a Hyperdrive binding");
const secretKey = z
  .string("is missing; set the secret to the output of: openssl rand -base64 32")
  .regex(/^[A-Za-z0-9+/]{43}=$/, "must be 32 bytes in base64 on one line")
  .transform(fromBase64)
  .refine((key) => !key.every((byte) => byte === key[0]), "is not random; make one with: openssl rand -base64 32");

const rootKey = z
  .string("is missing; set the secret to the output of: openssl rand -base64 32, or name a key service")
  .transform((text, context) => {
    const service = isKeyService(text) ? parseKeyService(text) : null;
    if (service) return service;
    const held = secretKey.safeParse(text);
    if (held.success) return held.data;
    context.addIssue(isKeyService(text) ? `must be ${keyServiceForms}` : (held.error.issues[0]?.message ?? "is malformed"));
    return z.NEVER;
  });

const common = {
  NODE_ENV: z.string().optional(),
  /** The main database, under the script's own role. */
  HYPERDRIVE: hyperdrive.optional(),
  SHARES: hyperdrive.optional(),
  POSTERN_SHARE_STORE: postgresUrl.optional(),
  POSTERN_ROOT_KEY: rootKey,
  POSTERN_ROOT_KEY_BESIDE: rootKey.optional(),
  ...keyServiceVariables,
  POSTERN_WRITER_KEY: secretKey,
  POSTERN_LOG_NAME: z
    .string("is missing; it must be the same for edge and keeper")
    .regex(/^[a-z0-9.-]+(\/[A-Za-z0-9._-]+)*$/, "must be a name like gw.example/postern"),
  POSTERN_ORIGIN: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }),
  POSTERN_CONFIG: z.string("is missing; it holds the text of the operator's file"),
};
const edgeSchema = z.object({ ...common, DATABASE_URL_EDGE: postgresUrl.optional() });
const directorySchema = z.object({ ...common, DATABASE_URL_DIRECTORY: postgresUrl.optional() });
const keeperSchema = z.object({
  ...common,
  DATABASE_URL_KEEPER: postgresUrl.optional(),
  POSTERN_LOG_KEY: secretKey,
  POSTERN_CERTIFICATE_KEY: secretKey,
});

/** Of the script that serves agents. Throws ConfigRefused. */
export function readWorkerSettings(env: Environment): WorkerSettings {
  const settings = parse(env, edge, edgeSchema);
  return lesserSettings(settings, ["DATABASE_URL_EDGE", settings.DATABASE_URL_EDGE]);
}

/** Of the script that decides who sits where. Throws ConfigRefused. */
export function readDirectorySettings(env: Environment): WorkerSettings {
  const settings = parse(env, directory, directorySchema);
  return lesserSettings(settings, ["DATABASE_URL_DIRECTORY", settings.DATABASE_URL_DIRECTORY]);
}

/** Of a script that signs nothing but its own entries. */
function lesserSettings(settings: Common, url: readonly [string, string | undefined]): WorkerSettings {
  const { writers: _keepersOnly, witnesses: _keepersToo, retention: _andThis, ...operators } = readOperators(settings);
  return { databaseUrl: urlOf(["HYPERDRIVE", settings.HYPERDRIVE], url), ...commonSettings(settings), ...operators };
}

/** Of the script that serves owners and officers. Throws ConfigRefused. */
export function readKeeperSettings(env: Environment): KeeperSettings {
  const settings = parse(env, keeper, keeperSchema);
  const { writers, witnesses, retention, ...operators } = readOperators(settings);
  if (writers.length === 0)
    throw new ConfigRefused("POSTERN_CONFIG: writers: names no public key; without the edge's its entries verify nowhere");
  return {
    databaseUrl: urlOf(["HYPERDRIVE", settings.HYPERDRIVE], ["DATABASE_URL_KEEPER", settings.DATABASE_URL_KEEPER]),
    ...commonSettings(settings),
    logSeed: settings.POSTERN_LOG_KEY,
    certificateSeed: settings.POSTERN_CERTIFICATE_KEY,
    writers: writers.map(fromBase64),
    witnesses: askedWitnesses({ witnesses }),
    retentionMonths: retention.months,
    ...operators,
  };
}

function parse<Schema extends z.ZodObject>(env: Environment, { name: script, foreign }: Script, schema: Schema): z.infer<Schema> {
  for (const name of Object.keys(env)) {
    const why = foreign[name];
    if (why) throw new ConfigRefused(`${name} must not be set here: ${why}`);
    if (name.startsWith("POSTERN_") && !Object.hasOwn(schema.shape, name)) throw new ConfigRefused(`${name} is not a setting of ${script}`);
  }
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigRefused(`${issue?.path.join(".")} ${issue?.message ?? "is malformed"}`);
  }
  refuseTwins(Object.entries(parsed.data));
  return parsed.data;
}

/** A key that does two things falls with either: a writer key that is the log key as well makes its holder a forger of checkpoints. */
function refuseTwins(settings: readonly (readonly [string, unknown])[]): void {
  const keys = settings.flatMap(([name, value]) => (value instanceof Uint8Array ? [{ name, value }] : []));
  for (const [i, { name, value }] of keys.entries()) {
    const twin = keys.slice(0, i).find((earlier) => equalBytes(earlier.value, value));
    if (twin) throw new ConfigRefused(`${name} is the same key as ${twin.name}; each has one of its own`);
  }
}

type Common = z.infer<z.ZodObject<typeof common>>;

function commonSettings(settings: Common) {
  return {
    sharesUrl: urlOf(["SHARES", settings.SHARES], ["POSTERN_SHARE_STORE", settings.POSTERN_SHARE_STORE]),
    rootKey: rootKeyOf(settings, settings.POSTERN_ROOT_KEY),
    rootKeyBeside: settings.POSTERN_ROOT_KEY_BESIDE === undefined ? null : rootKeyOf(settings, settings.POSTERN_ROOT_KEY_BESIDE),
    writerSeed: settings.POSTERN_WRITER_KEY,
    logName: settings.POSTERN_LOG_NAME,
    origin: settings.POSTERN_ORIGIN,
  };
}

/** One request may not wait for another's turn there. */
function rootKeyOf(settings: Common, found: Common["POSTERN_ROOT_KEY"]): Uint8Array | KeyService {
  return found instanceof Uint8Array ? found : openKeyService(found, settings, { parallelMax: Number.POSITIVE_INFINITY });
}

type Bound = z.infer<typeof hyperdrive> | undefined;

/** A binding, or the variable that stands in for it where there is no Hyperdrive. */
function urlOf([binding, bound]: readonly [string, Bound], [variable, url]: readonly [string, string | undefined]): string {
  const found = bound?.connectionString ?? url;
  if (!found) throw new ConfigRefused(`${binding} is missing; bind it, or set ${variable} where there is no Hyperdrive`);
  return found;
}

function readOperators({
  POSTERN_CONFIG,
  NODE_ENV,
}: Common): Pick<WorkerSettings, "issuers" | "merchants" | "vendors" | "operators" | "freshness" | "sessions"> &
  Pick<OperatorFile, "writers" | "witnesses" | "retention"> {
  const file = readOperatorFile(POSTERN_CONFIG, "POSTERN_CONFIG", NODE_ENV === "production");
  const { issuers, merchants, vendors, operators, writers, witnesses, retention, sinks, sessions, log: freshness } = file;
  if (sinks.length > 0) throw new ConfigRefused("POSTERN_CONFIG: sinks: are fed by a keeper on Node; run one beside the Workers for them");
  const profiles = issuers.map((issuer) => {
    if (issuer.built_in) throw new ConfigRefused("POSTERN_CONFIG: issuers: the built-in issuer's key is not on Workers");
    return issuerProfile(issuer);
  });
  return { issuers: profiles, merchants, vendors, operators, freshness, sessions, writers, witnesses, retention };
}
