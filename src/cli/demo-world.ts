/**
 * The demo in one process:  directory → serve → make the world (first start) → print the tour → until it is told to stop
 * An embedded database, an issuer of its own, an operator's file out of the generated world. Never in production.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Environment, readEnvironment } from "../config.ts";
import {
  type Ask,
  clearWorld,
  type DemoWorld,
  dayInChina,
  findWorld,
  finishWorld,
  generateWorld,
  type Highlights,
  NotTheDemos,
  operatorText,
  seedWorld,
  tamperRoute,
  tour,
} from "../demo/index.ts";
import { type Running, start } from "../node.ts";
import { demoMark, readBuiltInIssuer } from "../node-keys.ts";
import { ConfigRefused, readOperatorFile } from "../operator-settings.ts";
import { lockDirectory } from "../storage/pglite.ts";
import { note, print } from "./output.ts";

const defaults = { POSTERN_ORIGIN: "http://127.0.0.1:8787", POSTERN_DATA: "./data" } as const;
const tokenLifeSeconds = 300;

/** Resolves when it was told to stop and has. */
export async function serveDemo(reset: boolean): Promise<void> {
  const environment = readDemoEnvironment();
  const data = environment.POSTERN_DATA;
  const { day, midnight } = dayInChina(new Date());
  const standing = await openDirectory(data, reset);
  const world = generateWorld({ today: day });
  const running = await start({
    environment,
    operators: readOperatorFile(operatorText(world), "the demo's operator file", false),
    moreRoutes: (keeper) => [tamperRoute(keeper.database, join(data, "tampered.json"))],
  }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    throw new ConfigRefused(`PORT ${environment.PORT} is taken; stop what listens there, or name another: PORT=8788 npm start`);
  });
  const highlights =
    standing ?? (await makeWorld({ environment, running, world, midnight }).catch((error: unknown) => giveUp(running, error)));
  print(tour({ origin: environment.POSTERN_ORIGIN, data: shown(data), settings: settingsOf(environment), highlights }));
  await untilStopped(running);
}

function readDemoEnvironment(): Environment {
  if (process.env.NODE_ENV === "production") {
    throw new ConfigRefused("the demo is refused in production: its keys and its issuer are anybody's; use `postern serve`");
  }
  const { PORT, POSTERN_ORIGIN } = process.env;
  const environment = readEnvironment({ ...process.env, POSTERN_ORIGIN: POSTERN_ORIGIN || `http://127.0.0.1:${PORT || 8787}` });
  if (environment.DATABASE_URL ?? environment.DATABASE_URL_EDGE ?? environment.DATABASE_URL_KEEPER) {
    throw new ConfigRefused("the demo runs on its embedded database only; unset DATABASE_URL…, or use `postern serve`");
  }
  return environment;
}

/** The highlights of the world that is there; `null` = there is room for a fresh one. */
async function openDirectory(data: string, reset: boolean): Promise<Highlights | null> {
  try {
    const standing = await findWorld(data);
    if (standing && !reset) return standing;
  } catch (error) {
    if (error instanceof NotTheDemos) throw new ConfigRefused(error.message);
    throw error;
  }
  await mkdir(data, { recursive: true });
  const lock = await lockDirectory(join(data, "db"));
  try {
    await clearWorld(data, demoMark);
  } finally {
    lock.release();
  }
  return null;
}

interface Making {
  readonly environment: Environment;
  readonly running: Running;
  readonly world: DemoWorld;
  readonly midnight: Date;
}

async function makeWorld({ environment, running, world, midnight }: Making): Promise<Highlights> {
  const { POSTERN_DATA: data, POSTERN_ORIGIN: audience } = environment;
  if (!running.keeper) throw new Error("the demo serves both sides");
  const issuer = await readBuiltInIssuer(data);
  const call = async ({ as, method, path, body, purpose }: Ask) => {
    const token = await issuer.sign({ subject: as, audience, ttlSeconds: tokenLifeSeconds, now: Date.now() });
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body ? { "content-type": body.media } : {}),
      ...(purpose === undefined ? {} : { "postern-purpose": purpose }),
    };
    return running.request(path, { method, headers, body: body?.text ?? null });
  };
  note(`First start: making the demo's world in ${shown(data)}`);
  const saveTrust = (contract: string, trust: unknown) =>
    writeFile(join(data, "trust", `${contract}.json`), `${JSON.stringify(trust, null, 2)}\n`);
  const tell = (line: string) => note(`  ${line}`);
  const highlights = await seedWorld({ world, midnight, call, keeper: running.keeper.purge, saveTrust, tell });
  await finishWorld(data, highlights);
  return highlights;
}

/** The next start begins again: the directory's marker does not say `ready`. */
async function giveUp(running: Running, error: unknown): Promise<never> {
  await running.stop();
  throw error;
}

function untilStopped(running: Running): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => void running.stop().then(resolve, reject);
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
}

/** What another terminal must set so that its commands find this gateway. */
function settingsOf(environment: Environment): Record<string, string> {
  const names = ["POSTERN_ORIGIN", "POSTERN_DATA"] as const;
  return Object.fromEntries(names.filter((name) => environment[name] !== defaults[name]).map((name) => [name, environment[name]]));
}

function shown(data: string): string {
  return data.replace(/^\.\//, "");
}
