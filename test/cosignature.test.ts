/** What witnesses sign, and how many of them a reader asks for: C2SP tlog-cosignature v1 and tlog-policy. */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { cosign, formatWitnessVkey, openCosignatures, parseWitnessVkey, witnessKey } from "../src/audit/cosignature.ts";
import { formatVkey, noteKey, noteText, openNote, parseVkey, signNote } from "../src/audit/note.ts";
import { isMet, parsePolicy, policyOf } from "../src/audit/quorum.ts";
import { formatTrust, parseTrust } from "../src/audit/trust.ts";
import { utf8, verifySignature } from "../src/crypto/index.ts";
import { exportBytes, LogBuilder, testSigner, verifyRows } from "./support/log-builder.ts";
import { hasShared, readShared } from "./support/shared.ts";

const skylight = "vectors/sunlight/cmd/skylight/testdata";
const keysOf = z.object({ verifier_keys: z.array(z.string()) });
const time = 1_700_000_000;

describe.skipIf(!hasShared(skylight))("the cosignatures of Sunlight", () => {
  const log = "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706";
  const log2 = "88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482";
  const cases = [
    ["a witness", "witness/witness.v0.json", `witness/${log}/checkpoint`],
    ["another witness", "witness2/witness.v0.json", `witness2/${log2}/checkpoint`],
    ["a mirror", "witness/mirror/mirror.v0.json", `witness/mirror/${log}/checkpoint`],
  ] as const;

  it.each(cases)("hold under their keys: %s", async (_, keyFile, noteFile) => {
    const [vkey = ""] = keysOf.parse(JSON.parse(readShared(`${skylight}/${keyFile}`))).verifier_keys;
    const key = parseWitnessVkey(vkey);
    if (key === null) throw new Error("a verifier key of cosignatures");
    expect(formatWitnessVkey(key)).toBe(vkey);
    const note = readShared(`${skylight}/${noteFile}`);
    const [cosignature, ...others] = await openCosignatures(note, [key], verifySignature);
    expect(others).toEqual([]);
    expect(cosignature).toMatchObject({ key, time: 0x69546780 });
    expect(note).toContain(cosignature?.line);
    expect(await openCosignatures(note.replace("\n300\n", "\n301\n"), [key], verifySignature)).toEqual([]);
  });
});

describe("a cosignature", () => {
  const checkpoint = "log.example/one\n1\nKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

  it("holds for its checkpoint, time and key, and for no other", async () => {
    const signer = await testSigner("witness");
    const key = witnessKey("witness.example", signer.publicKey);
    const line = await cosign(checkpoint, { name: key.name, signer, time });
    const note = `${checkpoint}\n${line}`;
    expect(await openCosignatures(note, [key], verifySignature)).toEqual([{ key, time, line }]);
    expect(await openCosignatures(`${checkpoint}x\n\n${line}`, [key], verifySignature)).toEqual([]);
    expect(await openCosignatures(note, [witnessKey("other.example", signer.publicKey)], verifySignature)).toEqual([]);
    const later = await cosign(checkpoint, { name: key.name, signer, time: time + 1 });
    expect(later).not.toBe(line);
    expect(parseWitnessVkey(formatWitnessVkey(key))).toEqual(key);
  });

  it("is no signature of a log's, nor the other way round, under the same key and name", async () => {
    const signer = await testSigner("both");
    const [asLog, asWitness] = [noteKey("both.example", signer.publicKey), witnessKey("both.example", signer.publicKey)];
    const signed = await signNote(checkpoint, "both.example", signer);
    expect(await openCosignatures(signed, [asWitness], verifySignature)).toEqual([]);
    const line = await cosign(checkpoint, { name: "both.example", signer, time });
    expect(await openNote(`${checkpoint}\n${line}`, [asLog], verifySignature)).toEqual({ ok: false, refusal: "unsigned" });
    expect(parseVkey(formatWitnessVkey(asWitness))).toBeNull();
    expect(parseWitnessVkey(formatVkey(asLog))).toBeNull();
  });

  it("counts once, and a broken one beside it does not spoil it", async () => {
    const signer = await testSigner("witness");
    const key = witnessKey("witness.example", signer.publicKey);
    const line = await cosign(checkpoint, { name: key.name, signer, time });
    const broken = await cosign(`${checkpoint}x\n`, { name: key.name, signer, time });
    expect(await openCosignatures(`${checkpoint}\n${broken}${line}${line}`, [key], verifySignature)).toEqual([{ key, time, line }]);
  });
});

const logKey = noteKey("log.example/one", new Uint8Array(32).fill(1));
const witnesses = Array.from({ length: 6 }, (_, i) => witnessKey(`w${i}.example`, new Uint8Array(32).fill(10 + i)));
const lineOf = (i: number) => `witness W${i} ${formatWitnessVkey(witnesses[i] ?? witnessKey("none", new Uint8Array(32)))}`;
const head = `log ${formatVkey(logKey)}\n`;

function quorumOf(text: string) {
  const policy = parsePolicy(text);
  if (!policy.ok) throw new Error(policy.refusal);
  return (...indexes: number[]) => isMet(policy.value.quorum, new Set(indexes.flatMap((i) => policy.value.witnesses[i] ?? [])));
}

describe("a policy of witnesses", () => {
  it("asks for nobody, for one, for some of a group, for groups of groups", () => {
    const nobody = quorumOf(`${head}quorum none\n`);
    expect(nobody()).toBe(true);
    const one = quorumOf(`${head}${lineOf(0)}\nquorum W0\n`);
    expect([one(), one(0)]).toEqual([false, true]);
    const lines = witnesses.map((_, i) => lineOf(i)).join("\n");
    const nested = quorumOf(
      `${head}\n# two organizations\n${lines}\ngroup X 2 W0 W1 W2\n\tgroup Y any W3 W4 W5 \ngroup X-and-Y all X Y\nquorum X-and-Y\n`,
    );
    expect([nested(0, 1, 3), nested(0, 2, 5), nested(0, 3), nested(0, 1), nested(3, 4, 5), nested(0, 1, 2)]).toEqual([
      ...[true, true, false, false, false, false],
    ]);
  });

  it.each([
    ["no quorum", head],
    ["two quorums", `${head}quorum none\nquorum none\n`],
    ["a quorum that comes later", `${head}quorum W0\n${lineOf(0)}\n`],
    ["a member that comes later", `${head}group G any W0\n${lineOf(0)}\nquorum G\n`],
    ["a member of two groups", `${head}${lineOf(0)}\ngroup G any W0\ngroup H any W0\nquorum G\n`],
    ["the same member twice", `${head}${lineOf(0)}\ngroup G 2 W0 W0\nquorum G\n`],
    ["nobody as a member", `${head}group G any none\nquorum G\n`],
    ["more than there are", `${head}${lineOf(0)}\ngroup G 2 W0\nquorum G\n`],
    ["none of some", `${head}${lineOf(0)}\ngroup G 0 W0\nquorum G\n`],
    ["an empty group", `${head}group G all\nquorum G\n`],
    ["a witness twice", `${head}${lineOf(0)}\n${lineOf(0).replace("W0", "W1")}\nquorum none\n`],
    ["a name twice", `${head}${lineOf(0)}\n${lineOf(1).replace("W1", "W0")}\nquorum none\n`],
    ["a witness called none", `${head}${lineOf(0).replace("W0", "none")}\nquorum none\n`],
    ["a log's key as a witness's", `${head}witness W0 ${formatVkey(logKey)}\nquorum none\n`],
    ["a witness's key as a log's", `log ${formatWitnessVkey(witnesses[0] ?? witnessKey("none", new Uint8Array(32)))}\nquorum none\n`],
    ["a log twice", `${head}${head}quorum none\n`],
    ["an unknown word", `${head}constructor x\nquorum none\n`],
    ["a control character", `${head}quorum none\r\n`],
  ])("is refused where it says %s", (_, text) => {
    expect(parsePolicy(text)).toMatchObject({ ok: false });
  });
});

describe("an export whose reader asks for witnesses", () => {
  it("is found wanting without them, and whole with them, whatever else was cosigned", async () => {
    const builder = await LogBuilder.ofSize(40);
    const signer = await testSigner("witness");
    const key = witnessKey("witness.example", signer.publicKey);
    const parsed = parsePolicy(`log ${formatVkey(builder.trust.log)}\nwitness W ${formatWitnessVkey(key)}\nquorum W\n`);
    if (!parsed.ok) throw new Error(parsed.refusal);
    const trust = { ...builder.trust, policy: parsed.value };
    expect((await verifyRows(builder.rows, trust)).problems).toMatchObject([{ index: null, code: "quorum_missing" }]);
    const cosignedAt = async (size: number) => {
      const rows = builder.copy();
      const note = rows.checkpoint.get(size) ?? "";
      const line = await cosign(noteText(note) ?? "", { name: key.name, signer, time });
      rows.checkpoint.set(size, `${note}${line}`);
      return rows;
    };
    const newest = Math.max(...builder.rows.checkpoint.keys());
    expect(await verifyRows(await cosignedAt(newest), trust)).toMatchObject({ ok: true, problems: [] });
    const older = Math.min(...builder.rows.checkpoint.keys());
    expect((await verifyRows(await cosignedAt(older), trust)).problems).toMatchObject([{ code: "quorum_missing" }]);
    expect(await exportBytes(builder.rows, trust)).not.toHaveLength(0);
  });

  it("has the policy in its trust file, which must be about this log", async () => {
    const { trust } = await LogBuilder.create();
    const key = witnessKey("witness.example", utf8("0123456789abcdef0123456789abcdef"));
    const watched = { ...trust, policy: policyOf(trust.log, [key]) };
    const parsed = parseTrust(formatTrust(watched));
    expect(parsed).toEqual({ ok: true, value: watched });
    const other = { ...trust, policy: policyOf(logKey) };
    expect(parseTrust(formatTrust(other))).toEqual({ ok: false, refusal: "trust file: policy does not name this log" });
    const broken = JSON.parse(formatTrust(trust)) as { policy: string };
    broken.policy = broken.policy.replace("quorum none", "quorum W");
    expect(parseTrust(JSON.stringify(broken))).toEqual({
      ok: false,
      refusal: "trust file: line 2 of the policy names a quorum that is not defined before",
    });
  });
});
