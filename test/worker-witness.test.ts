/** Our witness as a Worker, in real workerd: its heads lie in a Durable Object. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signCheckpoint } from "../src/audit/checkpoint.ts";
import { openCosignatures, witnessKey } from "../src/audit/cosignature.ts";
import { formatVkey, noteKey } from "../src/audit/note.ts";
import { consistencyProof, hashTree, leafHash, rootAt } from "../src/audit/tree.ts";
import { formatAddCheckpoint } from "../src/audit/witness-request.ts";
import { createSigner, randomBytes, type Signer, toBase64, utf8, verifySignature } from "../src/crypto/index.ts";
import { type Script, startScript } from "./support/worker-script.ts";

const origin = "gw.example/postern/gateway";
const leaves = Array.from({ length: 70 }, (_, i) => leafHash(utf8(`entry ${i}`)));
const others = leaves.with(5, leafHash(utf8("another")));
const seed = randomBytes(32);
let logSigner: Signer;
let script: Script;

beforeAll(async () => {
  logSigner = await createSigner(randomBytes(32));
  script = await startScript("witness", {
    bindings: {},
    vars: { WITNESS_NAME: "witness.example", WITNESS_LOGS: `\n${formatVkey(noteKey(origin, logSigner.publicKey))}\n` },
    secrets: { WITNESS_KEY: toBase64(seed) },
  });
});
afterAll(() => script?.close());

async function requestOf(from: number, size: number, of = leaves, signer = logSigner): Promise<string> {
  const tree = hashTree(of);
  const note = await signCheckpoint({ origin, size, root: rootAt(tree, size), extensions: [] }, signer);
  return formatAddCheckpoint({ old: from, proof: from === 0 ? [] : consistencyProof(tree, from, size), note });
}

async function ask(body: string): Promise<[number, string]> {
  const answer = await script.call("POST", "/add-checkpoint", { body });
  return [answer.status, await answer.text()];
}

describe("a witness on Workers", () => {
  it("cosigns what extends the last head, refuses what does not, and of many at once cosigns one", async () => {
    const key = witnessKey("witness.example", (await createSigner(seed)).publicKey);
    const body = await requestOf(0, 10);
    const [status, line] = await ask(body);
    expect(status).toBe(200);
    expect(await openCosignatures(`${body.slice(body.indexOf("\n\n") + 2)}${line}`, [key], verifySignature)).toHaveLength(1);
    expect(await ask(await requestOf(0, 40))).toEqual([409, "10\n"]);
    expect((await ask(await requestOf(10, 40, others)))[0]).toBe(422);
    expect((await ask(await requestOf(10, 40, leaves, await createSigner(randomBytes(32)))))[0]).toBe(403);
    expect((await ask((await requestOf(10, 40)).replace(origin, "gw.example/other")))[0]).toBe(404);
    expect((await ask("what"))[0]).toBe(400);
    expect((await ask("x".repeat(70_000)))[0]).toBe(413);
    const bodies = await Promise.all(
      Array.from({ length: 12 }, (_, i) => requestOf(10, 20 + i, i % 2 === 0 ? leaves : leaves.with(12, leafHash(utf8("x"))))),
    );
    const statuses = (await Promise.all(bodies.map(ask))).map(([answered]) => answered);
    expect(statuses.filter((answered) => answered === 200)).toHaveLength(1);
    expect(statuses.filter((answered) => answered === 409)).toHaveLength(11);
  });
});
