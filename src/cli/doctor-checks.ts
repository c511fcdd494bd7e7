/** The doctor's checks:  configuration → operator's file → keys → database → shares → issuers → gateway. One failing does not stop the next. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Environment, readEnvironment, readSettings } from "../config.ts";
import { toBase64 } from "../crypto/index.ts";
import { loadOperatorFile } from "../operator-file.ts";
import { ConfigRefused, type OperatorFile } from "../operator-settings.ts";
import { checkDatabase, checkPurged, checkShareDatabase, checkSink, checkUnwraps, type Outcome } from "./doctor-databases.ts";
import { checkQuorum, checkWitness } from "./doctor-witnesses.ts";

export interface Finding {
  readonly check: string;
  readonly status: "ok" | "failing";
  readonly detail: string;
  /** Empty where nothing fails. */
  readonly cure: string;
}

const askWithinMs = 3_000;

export async function examine(variables: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  const findings: Finding[] = [];
  const look = async (check: string, work: () => Promise<Outcome>): Promise<boolean> => {
    const outcome = await work().catch(failureOf);
    if ("ok" in outcome) findings.push({ check, status: "ok", detail: outcome.ok, cure: "" });
    else findings.push({ check, status: "failing", detail: outcome.failing, cure: outcome.cure });
    return "ok" in outcome;
  };
  const read = await look("configuration", async () => {
    readEnvironment(variables);
    return { ok: "every variable is known and well-formed" };
  });
  if (!read && !(await look("variables", async () => ({ ok: `POSTERN_DATA is ${readSettings(variables).POSTERN_DATA}` })))) return findings;
  const settings = readSettings(variables);
  let operators: OperatorFile | null = null;
  await look("operator's file", async () => {
    operators = await loadOperatorFile(settings);
    const { merchants, issuers, log } = operators;
    const freshness = `an entry has its place in the log within ${log.mergeDelaySeconds} s, and past ${log.disclosureStopsSeconds} s nothing is disclosed`;
    return { ok: `${settings.POSTERN_CONFIG}: ${Object.keys(merchants).length} merchants, ${issuers.length} issuers; ${freshness}` };
  });
  await look("key files", () => checkKeys(settings));
  if (settings.POSTERN_ROOT_KEY && "service" in settings.POSTERN_ROOT_KEY) await look("key service", () => checkKeyService(settings));
  const sound = new Set<string>();
  for (const [check, work] of databaseChecks(settings)) if (await look(check, work)) sound.add(check);
  const stored = sound.has("database (keeper)")
    ? settings.DATABASE_URL_KEEPER
    : sound.has("database (edge)")
      ? settings.DATABASE_URL_EDGE
      : undefined;
  if (stored !== undefined) await look("root key", () => checkRoot(settings, stored));
  for (const [check, work] of sinkChecks(settings, operators)) await look(check, work);
  for (const [check, work] of witnessChecks(settings, operators)) await look(check, work);
  for (const issuer of remoteIssuers(operators)) await look(`issuer ${issuer.id}`, () => checkIssuer(issuer.jwks));
  await look("gateway", () => checkGateway(settings));
  return findings;
}

function failureOf(error: unknown): Outcome {
  if (error instanceof ConfigRefused) return { failing: error.message, cure: "correct what the line names" };
  const name = error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
  return { failing: name, cure: "this check itself failed; look at the message" };
}

/** Only where all are there: reading makes missing ones. */
async function checkKeys(settings: Environment): Promise<Outcome> {
  const { keyFilesOf, keyPathsOf, keysDirectory, readKeyFiles } = await import("../node-keys.ts");
  const paths = keyPathsOf(settings);
  const files = keyFilesOf(settings.POSTERN_DATA, paths, undefined);
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length === files.length && !existsSync(join(settings.POSTERN_DATA, "db")))
    return { ok: "none yet; the first start makes them" };
  if (missing.length > 0) {
    return {
      failing: `missing: ${missing.join(", ")}`,
      cure: "put them back from where you keep them: with new ones nothing that is stored opens",
    };
  }
  const open = files.filter((file) => (statSync(file).mode & 0o077) !== 0);
  if (open.length > 0) return { failing: `others may read ${open.join(", ")}`, cure: `chmod 600 ${open.join(" ")}` };
  const { edge, keeper } = await readKeyFiles(settings.POSTERN_DATA, paths, undefined);
  const publicKeys = [edge, keeper].map((side) => (side ? toBase64(side.writer.publicKey) : "none"));
  const kept = `${files.length} keys, under ${keysDirectory(settings.POSTERN_DATA)} unless named; keep that directory out of every backup`;
  return { ok: `${kept}. Writers' public keys, for another process's \`writers\`: edge ${publicKeys[0]}, keeper ${publicKeys[1]}` };
}

async function checkKeyService(settings: Environment): Promise<Outcome> {
  const [{ keyServiceOf }, { KeysUnavailable }] = await Promise.all([import("../node-root-key.ts"), import("../keys/index.ts")]);
  const service = keyServiceOf(settings, "root");
  if (!service) return { ok: "none" };
  try {
    await service.check();
  } catch (error) {
    if (!(error instanceof KeysUnavailable)) throw error;
    return { failing: error.message, cure: "docs/DEPLOY.md has the policy for the service; it heals by itself when the service answers" };
  }
  return { ok: "answers, and its key is fit to be the root key" };
}

/** Whether all that is stored lies under a root key that is named here, as far as a database is named to look. Nothing is made. */
async function checkRoot(settings: Environment, url: string): Promise<Outcome> {
  const [{ keyPathsOf, keysDirectory, readSecret }, { openRootKey }] = await Promise.all([
    import("../node-keys.ts"),
    import("../node-root-key.ts"),
  ]);
  const { root = join(keysDirectory(settings.POSTERN_DATA), "root.key"), beside = null } = keyPathsOf(settings);
  const missing = [root, beside].find((path) => path !== null && !existsSync(path));
  if (missing) return { ok: `not asked: ${missing} is not there` };
  const read = async (path: string | null) => (path === null ? null : readSecret(path));
  const held = { root: await read(root), beside: await read(beside) };
  return checkUnwraps(url, await openRootKey(settings, held));
}

function databaseChecks(settings: Environment): [string, () => Promise<Outcome>][] {
  const { DATABASE_URL_EDGE: edge, DATABASE_URL_KEEPER: keeper, POSTERN_SHARE_STORE: store, POSTERN_DATA } = settings;
  const checks: [string, () => Promise<Outcome>][] = [];
  if (edge === undefined && keeper === undefined) {
    const text = `embedded, in ${join(POSTERN_DATA, "db")}: one connection plays every role, nothing is synced to disk; for demo and development only`;
    checks.push(["database", async () => ({ ok: text })]);
  }
  if (edge !== undefined) checks.push(["database (edge)", () => checkDatabase(edge, "postern_edge")]);
  if (keeper !== undefined) checks.push(["database (keeper)", () => checkDatabase(keeper, "postern_keeper")]);
  if (store && "url" in store) checks.push(["share store", () => checkShareDatabase(store.url)]);
  if (keeper !== undefined) {
    const shares = async () => store ?? { path: join((await import("../node-keys.ts")).keysDirectory(POSTERN_DATA), "shares") };
    const look = async () => {
      if ("failing" in (await checkDatabase(keeper, "postern_keeper")))
        return { ok: "not asked: the keeper's database is not fit to answer" };
      return checkPurged(keeper, await shares());
    };
    checks.push(["purged contracts", look]);
  }
  return checks;
}

/** Where there is no keeper's database to ask, `/readyz` of the gateway tells. */
function sinkChecks({ DATABASE_URL_KEEPER: url }: Environment, operators: OperatorFile | null): [string, () => Promise<Outcome>][] {
  if (url === undefined) return [];
  return (operators?.sinks ?? []).map(({ id }) => [`sink ${id}`, () => checkSink(url, id)]);
}

/** As for sinks, the keeper's database is asked, not the witness: what it cosigned is stored there. */
function witnessChecks({ DATABASE_URL_KEEPER: url }: Environment, operators: OperatorFile | null): [string, () => Promise<Outcome>][] {
  const witnesses = operators?.witnesses ?? [];
  if (url === undefined || witnesses.length === 0) return [];
  const asked = async (some: typeof witnesses) => (await import("../asked-witnesses.ts")).askedWitnesses({ witnesses: some });
  const each = witnesses.map((witness): [string, () => Promise<Outcome>] => [
    `witness ${witness.key.split("+")[0]}`,
    async () => checkWitness(url, await asked([witness])),
  ]);
  return [...each, ["witnesses", async () => checkQuorum(url, await asked(witnesses))]];
}

function remoteIssuers(operators: OperatorFile | null): { readonly id: string; readonly jwks: string }[] {
  return (operators?.issuers ?? []).flatMap((issuer) => (issuer.built_in ? [] : [{ id: issuer.id, jwks: issuer.jwks }]));
}

async function checkIssuer(jwks: string): Promise<Outcome> {
  const response = await fetch(jwks, { redirect: "error", signal: AbortSignal.timeout(askWithinMs) }).catch(() => null);
  if (response?.ok) return { ok: `${jwks} answers` };
  const what = response ? `answers ${response.status}` : "does not answer";
  return { failing: `${jwks} ${what}`, cure: "check `jwks` in the operator's file, and that this host may reach it" };
}

/** Not running is no fault; running and not ready is. */
async function checkGateway({ POSTERN_ORIGIN: origin }: Environment): Promise<Outcome> {
  const response = await fetch(`${origin.replace(/\/+$/, "")}/readyz`, { signal: AbortSignal.timeout(askWithinMs) }).catch(() => null);
  if (!response) return { ok: `not running at ${origin}` };
  const text = (await response.text()).slice(0, 400);
  if (response.ok) return { ok: `ready at ${origin}` };
  return {
    failing: `${origin} answers ${response.status}: ${text}`,
    cure: "the check that is not ok names what is down; it heals by itself when that is back",
  };
}
