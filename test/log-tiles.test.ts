/** The log over HTTP, as a stranger's reader of tlog-tiles sees it: every path, every width, every bundle, to the letter. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatVkey, noteKey, readEntry } from "../src/audit/index.ts";
import { createSigner, randomBytes } from "../src/crypto/index.ts";
import { bringIntoForce, expectStatus, importLines } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { readMany } from "./support/log-gateway.ts";
import { isLong } from "./support/long.ts";
import { plantLog } from "./support/synthetic-log.ts";
import { unpack } from "./support/tar.ts";
import { extensionOf, hashOfEntry, pathOf, readCheckpoint, walkLog } from "./support/tlog-reader.ts";

const long = { contract: "c-long", size: 70_000, sizes: [1, 255, 256, 257, 65_536] } as const;

let gateway: Gateway;
let planted: readonly Uint8Array[];
let vkeyOf: (log: string) => string;
beforeAll(async () => {
  const logSigner = await createSigner(randomBytes(32));
  vkeyOf = (log) => formatVkey(noteKey(`test/postern/${log}`, logSigner.publicKey));
  gateway = await createGateway({ keeper: { logSigner } });
  await bringIntoForce(gateway);
  await importLines(gateway, [{ id: "U1", name: "欧阳娜娜", phone: "13800138000" }]);
  await readMany(gateway, 320);
  await bringIntoForce(gateway, { contract: long.contract });
  await gateway.keeper.sequence();
  planted = await plantLog(gateway.database, long.contract, { size: long.size, flushSize: 250, sizes: long.sizes, signer: logSigner });
}, 60_000);
afterAll(() => gateway.close());

/** `as` null: without a token. */
const ask = (log: string, path: string, as: string | null = "officer") =>
  gateway.call("GET", `/log/${log}/${path}`, as === null ? {} : { as });
const fetchFrom =
  (log: string, as: string | null = "officer") =>
  async (path: string) =>
    new Uint8Array(await (await expectStatus(ask(log, path, as), 200)).arrayBuffer());
const textOf = async (log: string, path: string, as: string | null = "officer") => Buffer.from(await fetchFrom(log, as)(path)).toString();

describe("a foreign reader of tlog-tiles", () => {
  it("walks a contract's log as its officer, entries and all", async () => {
    const walked = await walkLog(fetchFrom("c-test"), vkeyOf("c-test"));
    expect(walked.origin).toBe("test/postern/c-test");
    expect(walked.size).toBeGreaterThan(320);
    expect(walked.paths).toEqual([
      "tile/0/000",
      expect.stringMatching(/^tile\/0\/001\.p\/\d+$/),
      "tile/1/000.p/1",
      "tile/entries/000",
      expect.stringMatching(/^tile\/entries\/001\.p\/\d+$/),
    ]);
    expect(walked.entries.map((entry) => readEntry(entry)?.log)).toEqual(Array(walked.size).fill("test/postern/c-test"));
  });

  it.runIf(isLong)(
    "walks 70,000 leaves: 273 full tiles and one of 112, one full and one of 17 above, one of 1 on top",
    async () => {
      const walked = await walkLog(fetchFrom(long.contract), vkeyOf(long.contract));
      expect(walked.size).toBe(long.size);
      expect(walked.leaves.map((leaf) => leaf.toString("hex"))).toEqual(planted.map((leaf) => Buffer.from(leaf).toString("hex")));
      expect(walked.paths.filter((path) => path.startsWith("tile/0/"))).toHaveLength(274);
      expect(walked.paths.filter((path) => /^tile\/[12]\//.test(path))).toEqual(["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]);
      expect(walked.paths.at(-1)).toBe("tile/entries/273.p/112");
    },
    60_000,
  );

  it("walks the gateway's log as nobody, without its entries", async () => {
    const walked = await walkLog(fetchFrom("gateway", null), vkeyOf("gateway"), { entries: false });
    expect(walked.size).toBeGreaterThan(3);
  });

  it("walks an export, which holds the same tiles", async () => {
    const exported = await expectStatus(gateway.call("GET", "/v1/contracts/c-test/audit/export?format=bundle", { as: "officer" }), 200);
    const members = await unpack(exported);
    const fromExport = await walkLog(
      async (path) => members.get(path) ?? Promise.reject(new Error(`${path} is missing`)),
      vkeyOf("c-test"),
    );
    const overHttp = await walkLog(fetchFrom("c-test"), vkeyOf("c-test"));
    expect(overHttp.leaves.slice(0, fromExport.size)).toEqual(fromExport.leaves);
    const held = [...members.keys()].filter((name) => name.startsWith("tile/"));
    expect(held.sort()).toEqual([...fromExport.paths].sort());
  });

  it.each([
    ["seq", "leaf_hashes", "index = 0"],
    ["subtree", "root", "index = 0"],
    ["flush", "entries", "flush_id = (select flush_id from audit.seq where log = 'c-test' and index = 0)"],
  ])("notices a changed bit of %s.%s", async (table, column, where) => {
    const walk = () => walkLog(fetchFrom("c-test"), vkeyOf("c-test"));
    const flip = () =>
      gateway.database.query(
        `update audit.${table} set ${column} = set_byte(${column}, 5, get_byte(${column}, 5) # 1) where log = 'c-test' and ${where}`,
      );
    await flip();
    await expect(walk()).rejects.toThrow("does not follow");
    await flip();
    await expect(walk()).resolves.toMatchObject({ origin: "test/postern/c-test" });
  });
});

describe("a tile", () => {
  it("is there at every width that it once had, as the beginning of the full one", async () => {
    const full = await fetchFrom(long.contract)("tile/0/001");
    for (const width of [1, 2, 44, 250, 255]) {
      expect(await fetchFrom(long.contract)(`tile/0/001.p/${width}`)).toEqual(full.slice(0, 32 * width));
      const bundle = Buffer.from(await fetchFrom(long.contract)(`tile/entries/001.p/${width}`));
      expect(hashOfEntry(bundle.subarray(2, 2 + bundle.readUInt16BE(0)))).toEqual(Buffer.from(full.slice(0, 32)));
    }
    expect(await fetchFrom(long.contract)("tile/1/000.p/7")).toEqual((await fetchFrom(long.contract)("tile/1/000")).slice(0, 224));
  });

  it("is kept for ever where it is full, briefly where it grows, and by shared caches only where it is public", async () => {
    const headersOf = async (log: string, path: string, as?: string) => {
      const { headers } = await expectStatus(ask(log, path, as), 200);
      return [headers.get("content-type"), headers.get("cache-control"), headers.get("vary")];
    };
    const [bytes, text] = ["application/octet-stream", "text/plain; charset=utf-8"];
    expect(await headersOf("c-test", "tile/0/000")).toEqual([bytes, "private, max-age=31536000, immutable", "authorization"]);
    expect(await headersOf("c-test", "tile/1/000.p/1")).toEqual([bytes, "private, max-age=60", "authorization"]);
    expect(await headersOf("c-test", "tile/entries/000")).toEqual([bytes, "private, max-age=31536000, immutable", "authorization"]);
    expect(await headersOf("gateway", "tile/0/000.p/3")).toEqual([bytes, "public, max-age=60", null]);
    expect(await headersOf("gateway", "checkpoint")).toEqual([text, "public, max-age=1", null]);
    expect(await headersOf("c-test", "checkpoint")).toEqual([text, "no-store", null]);
    for (const path of ["proof/0", "consistency?from=1", "policy"])
      expect(await headersOf("c-test", path)).toEqual([text, "no-store", null]);
  });

  it("whose rows are gone holds zeros, and nothing breaks", async () => {
    const rows = await gateway.database.query("delete from audit.seq where log = 'c-long' and index = 500 returning flush_id, leaf_hashes");
    const [flush = null, hashes = null] = rows[0] ?? [];
    const tile = await fetchFrom(long.contract)("tile/0/001");
    expect([tile.slice(32 * 243, 32 * 244).some((byte) => byte !== 0), tile.slice(32 * 244, 32 * 245).some((byte) => byte !== 0)]).toEqual([
      true,
      false,
    ]);
    const rootOfFifth = (value: string) => `update audit.subtree set root = ${value} where log = 'c-long' and index = 4`;
    await gateway.database.query(rootOfFifth("substring(root from 2) || root"));
    expect((await fetchFrom(long.contract)("tile/1/000")).slice(32 * 4, 32 * 5)).toEqual(new Uint8Array(32));
    for (const path of ["proof/501", "consistency?from=501", "tile/entries/001"]) expect((await ask(long.contract, path)).status).toBe(200);
    await gateway.database.query(rootOfFifth("substring(root from 32)"));
    await gateway.database.query("insert into audit.seq (log, index, flush_id, leaf_hashes) values ('c-long', 500, $1, $2)", [
      flush,
      hashes,
    ]);
    expect(gateway.faults).toEqual([]);
  });
});

describe("a proof", () => {
  it("of a leaf is the one of RFC 6962, with the newest checkpoint behind it", async () => {
    const note = await textOf(long.contract, "checkpoint");
    for (const leaf of [0, 255, 65_535, 69_888, 69_999]) {
      const proof = await textOf(long.contract, `proof/${leaf}`);
      const hashes = pathOf(leaf, planted).map((hash) => `${hash.toString("base64")}\n`);
      expect(proof).toBe(`c2sp.org/tlog-proof@v1\nindex ${leaf}\n${hashes.join("")}\n${note}`);
    }
  });

  it("of consistency is the one of RFC 6962, in the form that a witness takes", async () => {
    for (const [from, to] of [
      [1, 1],
      [1, 255],
      [200, 256],
      [255, 257],
      [256, 65_536],
      [257, 65_536],
      [65_536, long.size],
      [1000, long.size],
      [long.size - 1, long.size],
      [long.size, long.size],
    ] as const) {
      const [old, ...rest] = Buffer.from(await fetchFrom(long.contract)(`consistency?from=${from}&to=${to}`))
        .toString()
        .split("\n");
      const hashes = extensionOf(from, planted.slice(0, to)).map((hash) => hash.toString("base64"));
      expect([old, ...rest.slice(0, hashes.length + 1)]).toEqual([`old ${from}`, ...hashes, ""]);
      const note = rest.slice(hashes.length + 1).join("\n");
      expect(readCheckpoint(Buffer.from(note), vkeyOf(long.contract)).size).toBe(to);
    }
    const newest = await fetchFrom(long.contract)("consistency?from=300");
    expect(newest).toEqual(await fetchFrom(long.contract)(`consistency?from=300&to=${long.size}`));
  });

  it("comes with the policy by which its checkpoint counts", async () => {
    for (const [log, as] of [
      ["gateway", null],
      ["c-test", "owner-1"],
    ] as const)
      expect(await textOf(log, "policy", as)).toBe(`log ${vkeyOf(log)}\nquorum none\n`);
  });
});
