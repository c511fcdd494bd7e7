/**
 * Key files of a Node process, under `POSTERN_DATA/keys`: made on the first start, read ever after, never backed up.
 * A file that is there and wrong ends the start; a missing one is made. A root key that is not the one this database began with ends it too
 * (assemble.ts: the gateway log's key does not open).
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Environment } from "./config.ts";
import { equalBytes, fromBase64, randomBytes, type Signer, toBase64 } from "./crypto/index.ts";
import { createNodeSigner } from "./crypto/node-ed25519.ts";
import { type BuiltInIssuer, createBuiltInIssuer, generateBuiltInKey } from "./identity/index.ts";
import { ConfigRefused } from "./operator-settings.ts";

/** Cache Directory Tagging Specification: backup programs leave such a directory out. */
const cacheTag =
  "Signature: 8a477f597d28d172789f06886806bc55\n# Postern's keys. A backup of this directory undoes every purge: leave it out.\n";

/** A file of this name in a directory of keys: the demo made them. */
export const demoMark = "DEMO";

/** Each side reads its own and no other's: an edge that never held the log key cannot lose it. */
export interface KeyFiles {
  /** `null`: a key service holds it. */
  readonly root: Uint8Array | null;
  /** `null`: there is none, or a key service holds it. */
  readonly beside: Uint8Array | null;
  readonly edge: { readonly writer: Signer } | null;
  readonly keeper: { readonly writer: Signer; readonly log: Signer; readonly certificate: Signer } | null;
}

export interface KeyPaths {
  /** `null`: no file, a key service holds it. */
  readonly root?: string | null | undefined;
  /** Of a root key that is read beside it; `null`: there is none, or a key service holds it. */
  readonly beside?: string | null | undefined;
  readonly log?: string | undefined;
  readonly certificate?: string | undefined;
  /** A directory with `edge.key` and `keeper.key`. */
  readonly writers?: string | undefined;
  /** Refuses keys that lie in a directory of the demo's. */
  readonly production: boolean;
}

export function keysDirectory(data: string): string {
  return join(data, "keys");
}

export function keyPathsOf(environment: Environment): KeyPaths {
  const { POSTERN_ROOT_KEY: rootKey, POSTERN_ROOT_KEY_BESIDE: beside } = environment;
  return {
    root: rootKey && "service" in rootKey ? null : rootKey?.path,
    beside: beside && "path" in beside ? beside.path : null,
    log: environment.POSTERN_LOG_KEY,
    certificate: environment.POSTERN_CERTIFICATE_KEY,
    writers: environment.POSTERN_WRITER_KEY,
    production: environment.NODE_ENV === "production",
  };
}

export type Only = "edge" | "keeper" | undefined;

/** Where each key lies that this process reads, there or not. */
export function keyFilesOf(data: string, paths: KeyPaths, only: Only): readonly string[] {
  const { root, beside, edge, log, certificate, keeper } = placesOf(data, paths);
  const roots = [root, beside].filter((path) => path !== null);
  return [...roots, ...(only === "keeper" ? [] : [edge]), ...(only === "edge" ? [] : [keeper, log, certificate])];
}

function placesOf(data: string, paths: KeyPaths) {
  const directory = keysDirectory(data);
  const writers = paths.writers ?? directory;
  return {
    root: paths.root === undefined ? join(directory, "root.key") : paths.root,
    beside: paths.beside ?? null,
    log: paths.log ?? join(directory, "log.key"),
    certificate: paths.certificate ?? join(directory, "certificate.key"),
    edge: join(writers, "edge.key"),
    keeper: join(writers, "keeper.key"),
  };
}

export async function readKeyFiles(data: string, paths: KeyPaths, only: Only): Promise<KeyFiles> {
  const directory = keysDirectory(data);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, "CACHEDIR.TAG"), cacheTag);
  const ofDemo = keyFilesOf(data, paths, only).find((file) => existsSync(join(dirname(file), demoMark)));
  if (paths.production && ofDemo) throw new ConfigRefused(`${ofDemo} is a key of the demo's, refused in production; make keys of your own`);
  const { root, beside, edge, keeper, log, certificate } = placesOf(data, paths);
  if (beside !== null && !existsSync(beside)) throw new ConfigRefused(`POSTERN_ROOT_KEY_BESIDE: ${beside} is not there, and is not made`);
  const secrets = await readApart(keyFilesOf(data, paths, only));
  const secretIn = async (path: string) => secrets.get(path) ?? readSecret(path);
  const signer = async (path: string) => createNodeSigner(await secretIn(path));
  return {
    root: root === null ? null : await secretIn(root),
    beside: beside === null ? null : await secretIn(beside),
    edge: only === "keeper" ? null : { writer: await signer(edge) },
    keeper: only === "edge" ? null : { writer: await signer(keeper), log: await signer(log), certificate: await signer(certificate) },
  };
}

/** A key that does two things falls with either. */
async function readApart(files: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const secrets = new Map<string, Uint8Array>();
  for (const file of files) {
    const secret = await readSecret(file);
    const [twin] = [...secrets].find(([, other]) => equalBytes(other, secret)) ?? [];
    if (twin) throw new ConfigRefused(`${file} is the same key as ${twin}; each has one of its own`);
    secrets.set(file, secret);
  }
  return secrets;
}

/** 32 random bytes in base64, one line. Errors name the file, never its content. */
export async function readSecret(path: string): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${toBase64(randomBytes(32))}\n`, { flag: "wx", mode: 0o600 }).catch(unlessExists);
  let secret: Uint8Array;
  try {
    secret = fromBase64((await readFile(path, "utf8")).trim());
  } catch {
    throw new ConfigRefused(`${path} is not a key: 32 bytes in base64 on one line`);
  }
  if (secret.length !== 32) throw new ConfigRefused(`${path} has ${secret.length} bytes; a key has 32`);
  if (secret.every((byte) => byte === secret[0])) throw new ConfigRefused(`${path} is not random; make one with: openssl rand -base64 32`);
  return secret;
}

/** The demo's own issuer. Whoever reads this file is anybody in the demo. */
export async function readBuiltInIssuer(data: string): Promise<BuiltInIssuer> {
  const path = join(data, "issuer", "key.json");
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, JSON.stringify(await generateBuiltInKey()), { flag: "wx", mode: 0o600 }).catch(unlessExists);
  try {
    return createBuiltInIssuer(JSON.parse(await readFile(path, "utf8")));
  } catch {
    throw new ConfigRefused(`${path} is not the built-in issuer's key; remove the file to make a new one`);
  }
}

function unlessExists(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}
