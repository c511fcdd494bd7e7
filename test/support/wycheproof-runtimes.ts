/** The runtimes that are asked: Node by JavaScript, Node by OpenSSL, workerd. */
import { createTestHarness, unstable_readConfig } from "wrangler";
import { portableAead, portableHashes, useHashes } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { nodeHashes } from "../../src/crypto/node-hash.ts";
import { root } from "./repository.ts";
import { type Answers, type AskAll, answersBy, type Primitive } from "./wycheproof.ts";

export interface Runtime {
  readonly ask: AskAll;
  close(): Promise<void>;
}

export const runtimes: readonly (readonly [name: string, open: () => Promise<Runtime>])[] = [
  ["on Node, by JavaScript", async () => ({ ask: answersBy(portableAead), close: async () => {} })],
  [
    "on Node, by OpenSSL",
    async () => {
      useHashes(nodeHashes);
      return { ask: answersBy(nodeAead), close: async () => useHashes(portableHashes) };
    },
  ],
  ["in workerd", openWorkerd],
];

async function openWorkerd(): Promise<Runtime> {
  Object.assign(process.env, { WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false", WRANGLER_HIDE_BANNER: "true" });
  const { compatibility_date, compatibility_flags } = unstable_readConfig({ config: `${root}/wrangler.toml` });
  const main = "test/support/wycheproof-worker.ts";
  const config = { name: "wycheproof", main, compatibility_flags, ...(compatibility_date ? { compatibility_date } : {}) };
  const harness = createTestHarness({ root, workers: [{ config }] });
  await harness.listen();
  return {
    async ask<Name extends Primitive>(primitive: Name, vectors: readonly unknown[]) {
      const answer = await harness.fetch("/", { method: "POST", body: JSON.stringify({ primitive, vectors }) });
      return (await answer.json()) as Answers[Name][];
    },
    close: () => harness.close(),
  };
}
