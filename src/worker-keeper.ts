/**
 * Postern's keeper on Cloudflare Workers: serves owners and officers, numbers the log each second, and runs due purges each minute.
 * Once an isolate: settings → signers → memory.  Each event (request, minute, turn of the log's clock): connections → keeper → work → close.
 * Trusted with the log key and the certificate key: whoever holds this script can sign what never was; the checkpoints that others keep show it.
 */
import type { DurableObjectState } from "@cloudflare/workers-types";
import { buildApp } from "./app.ts";
import { assembleKeeper, type Keeper } from "./assemble-keeper.ts";
import type { WitnessPauses } from "./audit/index.ts";
import { createPostgresAnchor } from "./audit/postgres-anchor.ts";
import { createSigner, type Signer } from "./crypto/index.ts";
import { createInFlight, inTurn } from "./kernel/index.ts";
import { checkAnchorDatabase, checkTombstones } from "./start-checks.ts";
import { version } from "./version.ts";
import {
  addressOf,
  connect,
  type Environment,
  type Isolate,
  misconfigured,
  onceAnIsolate,
  openIsolate,
  report,
  tell,
  tellRefused,
  type Waits,
} from "./worker-isolate.ts";
import { type KeeperSettings, readKeeperSettings } from "./worker-settings.ts";
import { behind, checkMainDatabase, passOnce, StartRefused } from "./worker-start.ts";

const limits = { applicationName: "postern-keeper", deadlineMs: 20_000 };
const leaseMs = 10_000;
/** Between two turns of the log's clock: after one that numbered something, and at most. */
const turnMs = 1_000;
const turnMsMax = 4_000;
const witnessEveryMs = 4_000;
/**
 * What began before the fence, here or at the edge, has ended by then: a cached key lives for 60 s, and between reading a contract's state and the
 * entry that follows from it lie three statements at most. What other isolates have under way cannot be counted as on Node.
 */
const fenceWaitMs = 65_000;

interface KeeperIsolate extends Isolate<KeeperSettings> {
  readonly logSigner: Signer;
  readonly certificateSigner: Signer;
  readonly witnessPauses: WitnessPauses;
}

/** The binding of the log's clock. */
interface Clocks {
  idFromName(name: string): unknown;
  get(id: unknown): { fetch(url: string): Promise<Response> };
}

const isolateOf = onceAnIsolate(async (env): Promise<KeeperIsolate> => {
  const settings = readKeeperSettings(env);
  const [logSigner, certificateSigner] = [await createSigner(settings.logSeed), await createSigner(settings.certificateSeed)];
  return { ...(await openIsolate(settings)), logSigner, certificateSigner, witnessPauses: new Map() };
});

export default {
  async fetch(request: Request, env: Environment, context: Waits): Promise<Response> {
    const isolate = await isolateOf(env);
    if (!isolate) return misconfigured(request);
    const { keeper, close } = openKeeper(isolate);
    return closedAfter(
      await buildApp([keeper], { version, origin: isolate.settings.origin, addressOf, report }).fetch(request),
      close,
      context,
    );
  },

  /**
   * The cron trigger: sees to it that the log's clock goes, and does what is due each minute. A fault is reported and tried again at the next minute;
   * a purge that waits for its fence goes on then, too.
   */
  async scheduled(_event: unknown, env: Environment & { readonly CLOCK: Clocks }): Promise<void> {
    const isolate = await isolateOf(env);
    if (!isolate) return;
    const { CLOCK: clocks } = env;
    await work(isolate, (keeper) => {
      const start = () => clocks.get(clocks.idFromName("log")).fetch("https://clock/");
      return inTurn([start, () => keeper.settle(), () => keeper.patrol(), () => keeper.tick()], (one) => one());
    });
  },
};

/**
 * The log's clock: one object whose alarm numbers, publishes and asks witnesses, each second while there is something to number, less often when idle.
 * It stores its alarm and nothing else, which outlives the process. Whatever else numbers may run beside it.
 */
export class LogClock {
  readonly #storage: DurableObjectState["storage"];
  readonly #environment: Environment;
  #pauseMs = turnMs;
  #witnessedAt = 0;

  constructor({ storage }: DurableObjectState, environment: Environment) {
    this.#storage = storage;
    this.#environment = environment;
  }

  /** From the script alone: nothing routes a request of a caller's here. */
  async fetch(): Promise<Response> {
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(Date.now());
    return new Response(null, { status: 204 });
  }

  /** Crash order: the next turn is stored before this one begins, so whatever ends this process, another one finds it. A turn never runs beside another. */
  async alarm(): Promise<void> {
    await this.#storage.setAlarm(Date.now() + this.#pauseMs);
    const isolate = await isolateOf(this.#environment);
    const numbered = isolate ? await work(isolate, (keeper) => this.#turn(keeper)) : "refused";
    // The operator has something to mend and is told so once a minute, when the cron trigger starts the clock again.
    if (numbered === "refused") return this.#storage.deleteAlarm();
    const isBusy = numbered !== "failed" && numbered > 0;
    this.#pauseMs = isBusy ? turnMs : Math.min(turnMsMax, this.#pauseMs * 2);
    await this.#storage.setAlarm(Date.now() + this.#pauseMs);
  }

  async #turn(keeper: Keeper): Promise<number> {
    const numbered = await keeper.sequence();
    if (Date.now() - this.#witnessedAt < witnessEveryMs) return numbered;
    for (const refused of await keeper.witness()) tell({ event: "witness", ...refused });
    this.#witnessedAt = Date.now();
    return numbered;
  }
}

/** "refused": a check of the start's does not pass, and why was told. "failed": it threw, which is reported. */
async function work<Done>(isolate: KeeperIsolate, run: (keeper: Keeper) => Promise<Done>): Promise<Done | "refused" | "failed"> {
  const { keeper, pass, close } = openKeeper(isolate);
  try {
    await pass();
    return await run(keeper);
  } catch (fault) {
    if (fault instanceof StartRefused) return "refused";
    report(fault);
    return "failed";
  } finally {
    await close();
  }
}

interface OpenKeeper {
  readonly keeper: Keeper;
  /** Throws StartRefused. Statements do it by themselves. */
  pass(): Promise<void>;
  close(): Promise<unknown>;
}

function openKeeper(isolate: KeeperIsolate): OpenKeeper {
  const { common, database, second, close } = connect(isolate, limits);
  const { settings, memory, writer, logSigner, certificateSigner, witnessPauses } = isolate;
  const writers = [writer.publicKey, ...settings.writers];
  const anchor = createPostgresAnchor(second);
  const { witnesses, retentionMonths } = settings;
  const parts = {
    writer,
    memory,
    anchor,
    witnesses,
    retentionMonths,
    witnessPauses,
    logSigner,
    certificateSigner,
    writers,
    fenceWaitMs,
    leaseMs,
  };
  const over = (through: typeof database) => assembleKeeper(common, { ...parts, database: through }, createInFlight());
  const check = async () => {
    await checkMainDatabase(database, { role: "postern_keeper", logName: settings.logName });
    await checkAnchorDatabase(second);
    await checkTombstones(database, common.shares);
    await over(database).prepare();
  };
  const pass = passOnce(isolate.main, check, tellRefused);
  return { keeper: over(behind(database, pass)), pass, close };
}

/**
 * An export is read from the database while it is sent: the connections live as long as the answer's body.
 * A reader who goes away is no fault: what then is cancelled was whole, while a body that broke rejects its cancellation.
 */
function closedAfter(answer: Response, close: () => Promise<unknown>, context: Waits): Response {
  const { body } = answer;
  if (!body) {
    context.waitUntil(close());
    return answer;
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const sent = body.pipeTo(writable, { preventCancel: true }).catch(() => body.cancel());
  context.waitUntil(sent.catch(report).then(close));
  return new Response(readable, answer);
}
