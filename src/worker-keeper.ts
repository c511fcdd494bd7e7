/**
 * Postern's keeper on Cloudflare Workers, or plain workerd: serves owners and officers, and each minute numbers the log and runs due purges.
 * Once an isolate: settings → signers → memory.  Each event: connections → keeper → work → close.
 * Trusted with the log key and the certificate key: whoever holds this script can sign what never was; the checkpoints that others keep show it.
 */
import { buildApp } from "./app.ts";
import { assembleKeeper, type Keeper } from "./assemble.ts";
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
/**
 * What began before the fence, here or at the edge, has ended by then: a cached key lives for 60 s, and between reading a contract's state and the
 * entry that follows from it lie three statements at most. What other isolates have under way cannot be counted as on Node.
 */
const fenceWaitMs = 65_000;

interface KeeperIsolate extends Isolate<KeeperSettings> {
  readonly logSigner: Signer;
  readonly certificateSigner: Signer;
}

const isolateOf = onceAnIsolate(async (env): Promise<KeeperIsolate> => {
  const settings = readKeeperSettings(env);
  const [logSigner, certificateSigner] = [await createSigner(settings.logSeed), await createSigner(settings.certificateSeed)];
  return { ...(await openIsolate(settings)), logSigner, certificateSigner };
});

export default {
  async fetch(request: Request, env: Environment, context: Waits): Promise<Response> {
    const isolate = await isolateOf(env);
    if (!isolate) return misconfigured(request);
    const { keeper, close } = openKeeper(isolate);
    return closedAfter(await buildApp([keeper], { version, addressOf, report }).fetch(request), close, context);
  },

  /** The cron trigger. A fault is reported and tried again at the next minute; a purge that waits for its fence goes on then, too. */
  async scheduled(_event: unknown, env: Environment): Promise<void> {
    const isolate = await isolateOf(env);
    if (!isolate) return;
    const { keeper, pass, close } = openKeeper(isolate);
    try {
      await pass();
      const works = [() => keeper.settle(), () => keeper.sequence(), () => keeper.patrol(), () => keeper.tick(), () => witness(keeper)];
      await inTurn(works, (work) => work());
    } catch (fault) {
      if (!(fault instanceof StartRefused)) report(fault);
    } finally {
      await close();
    }
  },
};

async function witness(keeper: Keeper): Promise<void> {
  for (const refused of await keeper.witness()) tell({ event: "witness", ...refused });
}

interface OpenKeeper {
  readonly keeper: Keeper;
  /** Throws StartRefused. Statements do it by themselves. */
  pass(): Promise<void>;
  close(): Promise<unknown>;
}

function openKeeper(isolate: KeeperIsolate): OpenKeeper {
  const { common, database, second, close } = connect(isolate, limits);
  const { settings, memory, writer, logSigner, certificateSigner } = isolate;
  const writers = [writer.publicKey, ...settings.writers];
  const anchor = createPostgresAnchor(second);
  const { witnesses } = settings;
  const parts = { writer, memory, anchor, witnesses, logSigner, certificateSigner, writers, fenceWaitMs, leaseMs };
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
