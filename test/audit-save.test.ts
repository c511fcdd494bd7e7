/** An officer saves what was found as a file for another system, and somebody else can tell what the file is. */
import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSigner, keyId, randomBytes, type Signer, verifyJws, verifySignature } from "../src/crypto/index.ts";
import type { Database } from "../src/storage/index.ts";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./support/databases.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { lengthenLog } from "./support/long-stored-log.ts";

const base = "/v1/contracts/c-test/audit";
const isLong = process.env.POSTERN_TEST_LONG === "1";

interface Manifest {
  readonly format: string;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly tree: { readonly size: number; readonly checkpoint: string };
  readonly first: number | null;
  readonly last: number | null;
  readonly entries: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly complete: boolean;
  readonly cursor: string;
  readonly next: string | null;
}

let server: PostgresDatabase;
let owner: Database;
let gateway: Gateway;
let certificate: Signer;
let locator: string;
beforeAll(async () => {
  server = await createPostgresDatabase();
  owner = openTestPool(server.ownerUrl, { deadlineMs: 600_000 });
  certificate = await createSigner(randomBytes(32));
  const [keeper, edge] = [openTestPool(server.keeperUrl, { deadlineMs: 60_000 }), openTestPool(server.edgeUrl)];
  gateway = await createGateway({ database: keeper, edgeDatabase: edge, keeper: { certificateSigner: certificate } });
  await bringIntoForce(gateway);
  await importLines(gateway, [{ id: "U1", name: "欧阳娜娜", phone: "13800138000" }]);
  const { records } = await search(gateway, { id: "U1" });
  locator = records[0]?.locator ?? "";
  for (let i = 0; i < 20; i++) await read();
  await gateway.keeper.sequence();
});
afterAll(async () => {
  await gateway?.close();
  await owner?.close();
  await server?.drop();
});

function read(): Promise<Response> {
  return expectStatus(gateway.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-2" }), 200);
}

async function save(query: string): Promise<{ cursor: string; text: string; answer: Response }> {
  const answer = await expectStatus(gateway.call("GET", `${base}/export?${query}`, { as: "officer" }), 200);
  return { cursor: answer.headers.get("export-cursor") ?? "", text: await answer.clone().text(), answer };
}

async function manifestOf(query: string, cursor: string, bytes: number): Promise<Manifest> {
  const path = `${base}/export/manifest?${query}&cursor=${cursor}&bytes=${bytes}`;
  const jws = await (await expectStatus(gateway.call("GET", path, { as: "officer" }), 200)).text();
  const keys = new Map([[keyId(certificate.publicKey), certificate.publicKey]]);
  const opened = await verifyJws(jws, "postern-export-manifest+jws", keys, verifySignature);
  return JSON.parse(opened?.payload ?? "null");
}

const digestOf = (text: string) => createHash("sha256").update(text).digest("base64");
const lengthOf = (text: string) => Buffer.byteLength(text);

describe("a saved copy", () => {
  it.each([
    ["csv", "text/csv", "csv"],
    ["ocsf", "application/x-ndjson", "ndjson"],
    ["cef", "text/plain; charset=utf-8", "cef"],
    ["syslog", "text/plain; charset=utf-8", "log"],
  ])("as %s holds what the list finds, oldest first, its own making last", async (format, media, extension) => {
    const { text, answer } = await save(`format=${format}`);
    expect(answer.headers.get("content-type")).toBe(media);
    expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="c-test.${extension}"`);
    const ids = text.match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g) ?? [];
    const rows = await owner.query("select count(*)::int from audit.search where log = 'c-test'");
    expect(new Set(ids).size).toBeGreaterThanOrEqual(Number(rows[0]?.[0]));
    expect(text.trimEnd().split("\n").at(-1)).toContain("audit.exported");
    for (const value of ["欧阳", "13800138000"]) expect(text).not.toContain(value);
  });

  it("says who acted and from where, and what left how", async () => {
    const { text } = await save("format=csv&event=record.read");
    const rows: Record<string, string>[] = parse(text, { columns: true });
    expect(rows).toHaveLength(20);
    for (const row of rows) {
      expect([row.actor_issuer, row.actor_subject, row.address, row.purpose]).toEqual(["demo", "agent-2", "127.0.0.1", "after_sales"]);
      expect(JSON.parse(row.fields ?? "")).toMatchObject({ phone: "mask" });
    }
    expect((await save("format=ocsf&event=record.read&effect=deny")).text).toBe("");
  });

  it("is OCSF 1.9 by a switch, and nothing else is", async () => {
    const { text } = await save("format=ocsf&profile=record_integrity&event=record.read");
    for (const line of text.trimEnd().split("\n")) expect(JSON.parse(line).metadata.profiles).toEqual(["record_integrity"]);
    expect((await gateway.call("GET", `${base}/export?format=csv&profile=record_integrity`, { as: "officer" })).status).toBe(400);
  });

  it("has a signed manifest: digest, range, count, and the checkpoint that covers it", async () => {
    const { cursor, text } = await save("format=csv&event=record.read");
    const manifest = await manifestOf("format=csv&event=record.read", cursor, lengthOf(text));
    expect(manifest).toMatchObject({ format: "csv", filter: { event: "record.read" }, entries: 20, complete: true, next: null, cursor });
    expect([manifest.sha256, manifest.bytes]).toEqual([digestOf(text), lengthOf(text)]);
    const rows: Record<string, string>[] = parse(text, { columns: true });
    expect([manifest.first, manifest.last]).toEqual([Number(rows[0]?.index), Number(rows.at(-1)?.index)]);
    expect(manifest.tree.checkpoint).toContain(`test/postern/c-test\n${manifest.tree.size}\n`);
    const changed = text.replace("agent-2", "agent-1");
    expect((await manifestOf("format=csv&event=record.read", cursor, lengthOf(changed))).sha256).not.toBe(digestOf(changed));
  });

  it("that was cut goes on where it ended, and its manifest says so until it is whole, whatever is written meanwhile", async () => {
    const query = "format=csv&event=record.read";
    const { cursor, text } = await save(query);
    for (const cut of [0, 1, 200, 1_500, lengthOf(text) - 1]) {
      const part = await manifestOf(query, cursor, cut);
      expect([cut, part.complete, part.bytes <= cut]).toEqual([cut, false, true]);
      const kept = Buffer.from(text).subarray(0, part.bytes).toString();
      expect(part.sha256).toBe(digestOf(kept));
      expect(kept === "" || kept.endsWith("\r\n")).toBe(true);
      await read();
      await gateway.keeper.sequence();
      const rest = await save(`${query}&cursor=${part.next}`);
      expect(part.entries === 0 ? rest.text : kept + rest.text).toBe(text);
    }
    expect((await manifestOf(query, cursor, lengthOf(text) + 5)).bytes).toBe(lengthOf(text));
  });

  it(
    "streams in constant memory, however long the log is",
    async () => {
      const size = await lengthenLog(owner, isLong ? 3_910 : 80);
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as () => void;
      const held = () => {
        collect();
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        return (heapUsed + arrayBuffers) / 1e6;
      };
      const answer = await expectStatus(gateway.call("GET", `${base}/export?format=ocsf`, { as: "officer" }), 200);
      const digest = createHash("sha256");
      const [before, started] = [held(), performance.now()];
      let [lines, bytes, chunks, most] = [0, 0, 0, 0];
      for await (const chunk of answer.body ?? []) {
        digest.update(chunk);
        bytes += chunk.length;
        for (const byte of chunk) if (byte === 10) lines++;
        if (chunks++ % 20 === 0) most = Math.max(most, held() - before);
      }
      const seconds = (performance.now() - started) / 1_000;
      process.stdout.write(
        `${lines} entries, ${(bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s, at most ${most.toFixed(0)} MB more held\n`,
      );
      expect(lines).toBeGreaterThanOrEqual(size - 1);
      expect(most).toBeLessThan(25);
      const manifest = await manifestOf("format=ocsf", answer.headers.get("export-cursor") ?? "", bytes);
      expect(manifest).toMatchObject({ complete: true, entries: lines, sha256: digest.digest("base64") });
    },
    isLong ? 600_000 : 30_000,
  );
});
