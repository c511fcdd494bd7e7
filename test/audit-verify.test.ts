import { beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../src/audit/bundle.ts";
import { signCheckpoint } from "../src/audit/checkpoint.ts";
import { hashTree, leafHash, rootAt } from "../src/audit/tree.ts";
import { formatTrust, parseTrust } from "../src/audit/trust.ts";
import { verifyExport } from "../src/audit/verify.ts";
import { keyId, verifySignature } from "../src/crypto/index.ts";
import { exportBytes, exportOf, LogBuilder, origin, testSigner, testWriter, verifyRows } from "./support/log-builder.ts";
import { entryAt, flipText, takeOut } from "./support/tampering.ts";

let small: LogBuilder;
let large: LogBuilder;
beforeAll(async () => {
  small = await LogBuilder.ofSize(20);
  large = await LogBuilder.ofSize(600);
});

describe("an export of an untouched log", () => {
  it("verifies against the trust file, whatever its size", async () => {
    for (const size of [1, 2, 20, 255, 256, 257]) {
      const log = await LogBuilder.ofSize(size);
      expect(await verifyRows(log.rows, log.trust)).toMatchObject({ ok: true, keys: "pinned", origin, size, problems: [], firstBad: null });
    }
    expect((await verifyRows(large.rows, large.trust)).problems).toEqual([]);
  });

  it("verifies while the log is still empty", async () => {
    const log = await LogBuilder.create();
    await log.publish();
    expect(await verifyRows(log.rows, log.trust)).toMatchObject({ ok: true, size: 0 });
  });

  it("is only called consistent without a trust file", async () => {
    expect(await verifyRows(small.rows, small.trust, { pinned: false })).toMatchObject({ ok: true, keys: "not pinned" });
  });

  it("is not believed under the trust file of another log or other writers", async () => {
    const other = await testSigner("somebody else");
    const trust = small.trust;
    const wrongLog = await verifyRows(small.rows, { ...trust, log: { ...trust.log, publicKey: other.publicKey } });
    expect(wrongLog.problems.map(({ code }) => code)).toContain("checkpoint_signature");
    const wrongName = await verifyExport({
      bundle: readBundle(exportOf(small.rows, trust)),
      trust: { ...trust, log: { ...trust.log, name: "x" } },
      seen: [],
      verifySignature,
    });
    expect(wrongName.problems.map(({ code }) => code)).toContain("log_not_trusted");
    const bundle = await readBundle(exportOf(small.rows, trust));
    const wrongWriters = await verifyExport({
      bundle,
      trust: { ...trust, writers: new Map([[keyId(other.publicKey), other.publicKey]]) },
      seen: [],
      verifySignature,
    });
    expect(wrongWriters).toMatchObject({ ok: false, firstBad: 0, problemsFound: small.rows.seq.size });
    expect(wrongWriters.problems[0]?.code).toBe("head_signature");
  });

  it("verifies with several writers, retired ones named by their successors", async () => {
    const log = await LogBuilder.create();
    const [a, b] = [testWriter("a"), testWriter("b")];
    for (let i = 0; i < 5; i++) {
      await log.flush(a, 2);
      await log.flush(b, 1);
    }
    await log.flush(testWriter("c", { id: a.id, n: a.n - 1 }), 3);
    await log.flush(testWriter("d", { id: testWriter("never wrote").id, n: -1 }), 1);
    await log.publish();
    expect((await verifyRows(log.rows, log.trust)).problems).toEqual([]);
    await log.flush(testWriter("e", { id: b.id, n: b.n }), 1);
    await log.publish();
    expect(await verifyRows(log.rows, log.trust)).toMatchObject({ firstBad: 19, problems: [{ code: "writer_retired" }] });
  });

  it("is the same bytes each time, and its verdict is plain data", async () => {
    expect(await exportBytes(small.rows, small.trust)).toEqual(await exportBytes(small.rows, small.trust));
    const verdict = await verifyRows(small.rows, small.trust);
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
  });

  it("verifies ten thousand entries in seconds", async () => {
    const log = await LogBuilder.create();
    const writer = testWriter("busy");
    for (let i = 0; i < 40; i++) await log.flush(writer, 250);
    await log.publish();
    const start = performance.now();
    expect((await verifyRows(log.rows, log.trust)).ok).toBe(true);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe("what was kept from before", () => {
  it("contradicts a second history under the same keys", async () => {
    const other = small.copy();
    takeOut(other, 11);
    const kept = [...small.rows.checkpoint].find(([size]) => size > 11 && size < 19)?.[1] ?? "";
    const verdict = await verifyRows(await small.signedAnew(other), small.trust, { seen: [kept] });
    expect(verdict.problems.map(({ code }) => code)).toContain("seen_differs");
  });

  it("must itself be signed, of this log, and a checkpoint or promise at all", async () => {
    const log = await LogBuilder.ofSize(4);
    const [promise = ""] = await log.flush(testWriter("x"), 2);
    const note = await log.publish();
    const foreign = await signCheckpoint(
      { origin: "another.example/log", size: 1, root: new Uint8Array(32), extensions: [] },
      await testSigner("log"),
    );
    const cases: readonly [string, string][] = [
      ["", "seen_malformed"],
      ["hello", "seen_malformed"],
      [flipText(note, note.length - 20), "seen_signature"],
      [foreign, "seen_of_another_log"],
      [promise.replace(/jws="[^"]{40}/, 'jws="AAAA'), "seen_signature"],
      [promise.replace("i=0", "i=1"), "seen_differs"],
    ];
    for (const [seen, code] of cases)
      expect((await verifyRows(log.rows, log.trust, { seen: [seen] })).problems.map((problem) => problem.code)).toEqual([code]);
  });
});

describe("a log's end", () => {
  it("is frozen by purge.verified, and by nothing else", async () => {
    const ended = await LogBuilder.ofSize(9, "purge.verified");
    expect((await verifyRows(ended.rows, ended.trust)).problems).toMatchObject([{ code: "log_row_mismatch" }]);
    ended.rows.log.state = "frozen";
    expect((await verifyRows(ended.rows, ended.trust)).ok).toBe(true);
    await ended.flush(testWriter("late"), 1);
    await ended.publish();
    const verdict = await verifyRows(ended.rows, ended.trust);
    expect(verdict.firstBad).toBe(9);
    expect(verdict.problems.map(({ code }) => code)).toContain("entry_after_freeze");
  });
});

describe("the trust file", () => {
  it("reads back what it wrote", () => {
    expect(parseTrust(formatTrust(small.trust))).toEqual({ ok: true, value: small.trust });
  });

  it("is refused in one line that names the place", () => {
    const file = JSON.parse(formatTrust(small.trust));
    const refusal = (text: string) => {
      const parsed = parseTrust(text);
      return parsed.ok ? null : parsed.refusal;
    };
    expect(refusal("{")).toMatch(/^trust file: /);
    expect(refusal(JSON.stringify({ ...file, extra: 1 }))).toBe("trust file: has a key that is not known here");
    expect(refusal(JSON.stringify({ ...file, log: `${file.log}x` }))).toBe("trust file: log is not a verifier key");
    expect(refusal(JSON.stringify({ ...file, gateway: 1 }))).toBe("trust file: gateway is missing or wrong (invalid_type)");
    expect(refusal(JSON.stringify({ ...file, writers: [{ ...file.writers[0], kid: "x" }] }))).toMatch(/^trust file: writers\[0\] /);
    expect(refusal(JSON.stringify({ ...file, policy: `log ${file.log}\nwitness w ${file.log}\nquorum w\n` }))).toMatch(/policy/);
  });
});

describe("the tree's root", () => {
  it("of the export is the one that the verdict names", async () => {
    const leaves = Array.from({ length: 20 }, (_, i) => leafHash(entryAt(small.rows, i)));
    const verdict = await verifyRows(small.rows, small.trust);
    expect(Buffer.from(verdict.root, "base64")).toEqual(Buffer.from(rootAt(hashTree(leaves))));
  });
});
