/** A receipt whose reader's trust file asks for a quorum of witnesses, on a real Postgres. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cosign, formatWitnessVkey, witnessKey } from "../src/audit/cosignature.ts";
import { formatVkey, noteText } from "../src/audit/note.ts";
import { parsePromise } from "../src/audit/promise.ts";
import { parsePolicy } from "../src/audit/quorum.ts";
import { verifyReceipt } from "../src/audit/receipt.ts";
import type { Trust } from "../src/audit/trust.ts";
import { createSigner, sha256, utf8, verifySignature } from "../src/crypto/index.ts";
import { expectStatus, importLines, search } from "./support/agreement.ts";
import { agreeOnTrust, createLogGateway, type LogGateway } from "./support/log-gateway.ts";
import { hasShared, readShared } from "./support/shared.ts";

let world: LogGateway;
let trust: Trust;
let path: string;
beforeAll(async () => {
  world = await createLogGateway();
  trust = await agreeOnTrust(world.gateway);
  await importLines(world.gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  const { records } = await search(world.gateway, { id: "U1" });
  path = `/v1/contracts/c-test/records/customer/${records[0]?.locator}`;
});
afterAll(() => world.close());

async function read(): Promise<{ id: string }> {
  const answer = await expectStatus(world.gateway.call("GET", path, { as: "agent-1" }), 200);
  return { id: parsePromise(answer.headers.get("audit-promise") ?? "")?.id ?? "" };
}

const fetchReceipt = (id: string) => world.gateway.call("GET", `/log/c-test/receipt/${id}`, { as: "agent-1" });

const verify = (text: string, kept: string | null, by: Trust) => verifyReceipt({ text, trust: by, kept, verifySignature });

describe("a receipt whose reader asks for witnesses", () => {
  const witnesses = ["one.example", "two.example", "three.example"];
  const signerOf = (name: string) => createSigner(sha256(utf8(name)));
  const keyOf = async (name: string) => witnessKey(name, (await signerOf(name)).publicKey);

  async function asking(rule: string): Promise<Trust> {
    const lines = await Promise.all(witnesses.map(async (name, i) => `witness W${i} ${formatWitnessVkey(await keyOf(name))}\n`));
    const policy = parsePolicy(`log ${formatVkey(trust.log)}\n${lines.join("")}${rule}`);
    if (!policy.ok) throw new Error(policy.refusal);
    return { ...trust, policy: policy.value };
  }

  /** What stands in the database once they answered. */
  async function cosignNewest(...names: readonly string[]): Promise<void> {
    const [row] = await world.owner.query("select size::int, note from audit.checkpoint where log = 'c-test' order by size desc limit 1");
    for (const name of names) {
      const line = await cosign(noteText(String(row?.[1])) ?? "", { name, signer: await signerOf(name), time: 1_800_000_000 });
      await world.owner.query("insert into audit.cosignature (log, size, witness, line) values ('c-test', $1, $2, $3)", [
        Number(row?.[0]),
        `${name}+${(await keyOf(name)).hash}`,
        line,
      ]);
    }
  }

  const judge = async (text: string, rule: string) => (await verify(text, null, await asking(rule))).problems.map(({ code }) => code);
  const two = "group G 2 W0 W1 W2\nquorum G\n";

  it("does not hold until as many stand under its checkpoint, and says who does", async () => {
    const { id } = await read();
    await world.gateway.keeper.sequence();
    const receipt = async () => (await expectStatus(fetchReceipt(id), 200)).text();
    expect(await judge(await receipt(), "quorum none\n")).toEqual([]);
    expect((await verify(await receipt(), null, await asking(two))).problems).toEqual([
      { code: "quorum_missing", reason: "its checkpoint is cosigned by no witness of the policy's, which is less than its quorum" },
    ]);
    await cosignNewest("one.example");
    expect((await verify(await receipt(), null, await asking(two))).problems).toEqual([
      { code: "quorum_missing", reason: "its checkpoint is cosigned by one.example of the policy's, which is less than its quorum" },
    ]);
    await cosignNewest("three.example");
    // Fetching it is an entry, too, so newer checkpoints follow that nobody cosigned.
    await read();
    await world.gateway.keeper.sequence();
    expect(await judge(await receipt(), two)).toEqual([]);
    expect(await judge(await receipt(), "quorum W1\n")).toEqual(["quorum_missing"]);
    expect(await verify(await receipt(), null, await asking(two))).toMatchObject({ ok: true, entry: id });
  });

  it("does not hold by a cosignature that is another checkpoint's, another key's, or given twice", async () => {
    const { id } = await read();
    await world.gateway.keeper.sequence();
    await cosignNewest("one.example", "two.example");
    const text = await (await expectStatus(fetchReceipt(id), 200)).text();
    expect(await judge(text, two)).toEqual([]);
    const [first = "", second = ""] = text.trimEnd().split("\n").slice(-2);
    expect([first, second].every((line) => /^— (one|two)\.example /.test(line))).toBe(true);
    const name = (line: string) => line.split(" ")[1] ?? "";
    for (const wrong of [
      text.replace(`${second}\n`, ""),
      text.replace(second, first),
      text.replace(second, `${second.slice(0, -8)}AAAAAAA=`),
      text.replace(` ${name(second)} `, " three.example "),
    ])
      expect(await judge(wrong, two)).toEqual(["quorum_missing"]);
  });

  it("does not hold in any other form than a tlog-proof's: what others refuse is refused", async () => {
    if (!hasShared("vectors/extracted/tlog-proof.json")) return;
    const { marshal, reject } = JSON.parse(readShared("vectors/extracted/tlog-proof.json")) as {
      readonly marshal: readonly { readonly want: string }[];
      readonly reject: readonly { readonly proof: string }[];
    };
    const malformed = { ok: false, problems: [{ code: "malformed", reason: "it is not a receipt" }] };
    // Theirs that hold their form are proofs without a promise.
    for (const text of [...marshal.map(({ want }) => want), ...reject.map(({ proof }) => proof)])
      expect(await verify(text, null, await asking(two))).toMatchObject(malformed);
  });
});
