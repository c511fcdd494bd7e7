/** What a gateway leans on beside its database, and how it fails: a system that is sent copies of the log, and a key service. Rows for `fire.ts`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fault } from "./fire.ts";
import type { GatewayProcessOptions } from "./gateway-process.ts";
import { countBothSides, type House } from "./house.ts";
import { type KeyStandIn, startKeyStandIn } from "./key-stand-in.ts";
import { bulkAnswer, bulkDocuments, createReceiver, type Received, type Told } from "./receiver.ts";
import { pause, until } from "./until.ts";

type Answer = (request: Received) => Told | null | Promise<Told | null>;

export interface Services {
  readonly keys: KeyStandIn;
  readonly sink: {
    /** How it answers, and keeps nothing; `null` = as it should. */
    fail(answer: Answer | null): void;
    /** Places of the contract's log of which it kept a copy. */
    sequences(): ReadonlySet<number>;
  };
  /** How a gateway leans on them. */
  readonly options: Pick<GatewayProcessOptions, "operators" | "variables">;
  stop(): Promise<void>;
}

const sinkFailures: Readonly<Record<string, Answer>> = {
  "never answers": () => null,
  "is slow": async (request) => {
    await pause(2_000);
    return bulkAnswer(request, () => 429);
  },
  fails: () => ({ status: 500, body: "" }),
  "says that it kept what it did not": () => ({ status: 200, body: '{"errors":false,"items":[]}' }),
  "speaks of other things": () => ({ status: 200, body: "<html>welcome</html>" }),
};

export async function startServices(): Promise<Services> {
  const home = mkdtempSync(join(tmpdir(), "postern-services-"));
  const apiKey = join(home, "api.key");
  writeFileSync(apiKey, "an-api-key\n", { mode: 0o600 });
  const keys = await startKeyStandIn();
  const kept = new Set<number>();
  let failure: Answer | null = null;
  const receiver = await createReceiver((request) => {
    if (failure) return failure(request);
    for (const { document } of bulkDocuments(request)) if (document.postern.log.endsWith("/c-test")) kept.add(document.event.sequence);
    return bulkAnswer(request, () => 201);
  });
  return {
    keys,
    sink: {
      fail(answer) {
        failure = answer;
      },
      sequences: () => kept,
    },
    options: {
      operators: `sinks: [{ kind: elastic_bulk, id: siem, url: "${receiver.url.href}", index: postern, api_key: "file:${apiKey}" }]\n`,
      variables: { POSTERN_ROOT_KEY: `vault-transit:${keys.url.origin}/transit/postern`, VAULT_TOKEN: "a-token" },
    },
    async stop() {
      await Promise.all([keys.stop(), receiver.close()]);
      rmSync(home, { recursive: true });
    },
  };
}

/** Past the minute for which opened keys are kept. */
const keysKeptMs = 62_000;

/** In a house with another system that is sent copies, and a root key that lies in a service. */
export function faultsOfServices({ sink, keys }: Services): Fault[] {
  const arrived = async (house: House) => {
    const { size } = (await countBothSides(house, [])).verdict;
    await until("every copy", () => sink.sequences().size >= size, 15_000);
  };
  return [
    ...Object.entries(sinkFailures).map(
      ([name, answer]): Fault => ({
        name: `the system that is sent copies ${name}`,
        inflict: () => {
          sink.fail(answer);
          return () => sink.fail(null);
        },
        late: "200",
        meanwhile: [],
        isExact: true,
        afterwards: arrived,
      }),
    ),
    {
      name: "the key service is away for longer than keys are kept, slow, lies, and refuses",
      async inflict() {
        keys.fail("broken");
        await pause(keysKeptMs);
        for (const how of ["slow", "other place's key", "short key", "html", "forbidden", "cut"] as const) {
          keys.fail(how);
          await pause(1_500);
        }
        return () => keys.fail(null);
      },
      late: "503",
      meanwhile: ["200"],
      isExact: true,
    },
  ];
}
