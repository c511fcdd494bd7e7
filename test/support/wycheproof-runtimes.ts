/** The runtimes that are asked: Node by JavaScript, Node by OpenSSL, workerd. */
import { portableAead, portableHashes, useHashes } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { nodeHashes } from "../../src/crypto/node-hash.ts";
import { openScript } from "./own-script.ts";
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
  const script = await openScript("test/support/wycheproof-worker.ts");
  return {
    ask: async <Name extends Primitive>(primitive: Name, vectors: readonly unknown[]) =>
      (await script.ask({ primitive, vectors })) as Answers[Name][],
    close: script.close,
  };
}
