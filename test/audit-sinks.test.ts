/** Other systems are told what the log holds: each entry at least once, whatever happens to them or to us, and the log never waits. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileSink } from "../src/copies/file-sink.ts";
import { createCopyFormats, createElasticSink, createPump, createSplunkSink, type Pump, type Sink } from "../src/copies/index.ts";
import { createSyslogSink } from "../src/copies/node-syslog-sink.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { bulkAnswer, bulkDocuments, createReceiver, type Receiver } from "./support/receiver.ts";

const formats = createCopyFormats("0.0.0");
const taken = { status: 200, body: '{"text":"Success","code":0}' };
const directory = mkdtempSync(join(tmpdir(), "postern-sinks-"));

let gateway: Gateway;
let clock = 0;
beforeAll(async () => {
  gateway = await createGateway();
  await write(30);
});
afterAll(async () => {
  await gateway.close();
  rmSync(directory, { recursive: true });
});

/** So many refusals, each an entry of the gateway's log. */
async function write(entries: number): Promise<void> {
  for (let i = 0; i < entries; i++)
    expect((await gateway.call("GET", "/v1/contracts/c-none/audit/entries", { as: "officer" })).status).toBe(404);
  await gateway.keeper.sequence();
}

const pumpOf = (...sinks: Sink[]): Pump => createPump({ database: gateway.database, sinks, now: () => clock, random: () => 1 });

async function sizeOf(): Promise<number> {
  const [row] = await gateway.database.query("select size::int from audit.log where log = 'gateway'");
  return Number(row?.[0]);
}

/** Places from 0 to the log's end. */
const all = async () => Array.from({ length: await sizeOf() }, (_, i) => i);

const elasticAt = (name: string, { url }: Receiver) => createElasticSink({ name, url, index: "postern", apiKey: "k" });
const sequencesOf = ({ received }: Receiver) => received.flatMap(bulkDocuments).map(({ document }) => document.event.sequence);

describe("a sink is fed", () => {
  it("as Splunk's collector takes it: every entry, in order, once, under its token", async () => {
    const splunk = await createReceiver(() => taken);
    const pump = pumpOf(createSplunkSink({ name: "splunk", url: splunk.url, token: "t-1", index: "main", format: formats.ocsf }));
    await pump.run();
    await pump.run();
    const events = splunk.received.flatMap(({ body }) => body.split("\n").map((line) => JSON.parse(line)));
    expect(events.map(({ event }) => event.metadata.sequence)).toEqual(await all());
    expect(events[0]).toMatchObject({ host: "test", source: "test/postern/gateway", sourcetype: "postern:audit", index: "main" });
    expect(events.at(-1).event).toMatchObject({ class_uid: 6003, status_code: "not_found" });
    expect(splunk.received[0]).toMatchObject({ path: "/services/collector/event", headers: { authorization: "Splunk t-1" } });
    expect((await pump.standing()).splunk).toEqual({ waiting: 0, dead: 0, lastError: null, failingForMs: null });
    await write(2);
    await pump.run();
    expect(splunk.received.at(-1)?.body.split("\n")).toHaveLength(2);
    await splunk.close();
  });

  it("as Elasticsearch takes it: each entry under its own id, so that what comes twice is there once", async () => {
    const elastic = await createReceiver((request) => bulkAnswer(request, () => 201));
    await pumpOf(elasticAt("elastic", elastic)).run();
    const documents = elastic.received.flatMap(bulkDocuments);
    expect(documents.map(({ document }) => document.event.sequence)).toEqual(await all());
    for (const { id, document } of documents) expect(id).toBe(document.event.id);
    expect(elastic.received[0]?.path).toMatch(/^\/postern\/_bulk\?filter_path=/);
    elastic.answer = (request) => bulkAnswer(request, () => 409);
    const again = pumpOf(elasticAt("elastic-again", elastic));
    await again.run();
    expect((await again.standing())["elastic-again"]).toMatchObject({ waiting: 0, dead: 0 });
    await elastic.close();
  });

  it("as syslog over TCP takes it: counted octets, and done only when the receiver has read to the end", async () => {
    let heard = "";
    let hangUp = true;
    const server = await listen((socket) => {
      if (hangUp) return socket.destroy();
      socket.setEncoding("utf8").on("data", (text) => {
        heard += text;
      });
      return undefined;
    });
    const sink = createSyslogSink({ name: "syslog", host: "127.0.0.1", port: portOf(server), tls: false, format: formats.syslog });
    const pump = pumpOf(sink);
    await pump.run();
    expect((await pump.standing()).syslog).toMatchObject({
      waiting: await sizeOf(),
      lastError: expect.stringMatching(/connection|hung up/),
    });
    hangUp = false;
    clock += 60_000;
    await pump.run();
    expect((await pump.standing()).syslog).toMatchObject({ waiting: 0, failingForMs: null });
    const messages = unframe(heard);
    expect(messages.map((message) => Number(/ index="(\d+)"/.exec(message)?.[1]))).toEqual(await all());
    for (const message of messages) expect(message).toMatch(/^<1(08|10)>1 /);
    await new Promise((resolve) => server.close(resolve));
  });

  it("as a file: appended, a torn record cut off, and a new file begun where the old one was taken away", async () => {
    const path = join(directory, "audit.csv");
    const pump = pumpOf(createFileSink({ name: "file", path, format: formats.csv }));
    await pump.run();
    const whole = readFileSync(path, "utf8");
    expect(whole.split("\r\n")).toHaveLength((await sizeOf()) + 2);
    writeFileSync(path, `${whole}31,torn`);
    await write(1);
    await pump.run();
    const grown = readFileSync(path, "utf8");
    expect([grown.startsWith(whole), grown.includes("torn"), grown.split("\r\n").length]).toEqual([true, false, (await sizeOf()) + 2]);
    rmSync(path);
    await write(1);
    await pump.run();
    expect(readFileSync(path, "utf8").split("\r\n")).toHaveLength(3);
  });

  it("only with what entries show: nobody's name or address", async () => {
    const splunk = await createReceiver(() => taken);
    await pumpOf(createSplunkSink({ name: "bare", url: splunk.url, token: "t", format: formats.ocsf })).run();
    expect(splunk.received.map(({ body }) => body).join("")).not.toContain("127.0.0.1");
    await splunk.close();
  });
});

describe("a sink that fails", () => {
  it.each([
    ["answers 500", { status: 500, body: "" }, "status 500"],
    ["answers 401", { status: 401, body: "" }, "status 401"],
    ["answers 429", { status: 429, body: "" }, "status 429"],
    ["answers 200 with a page of a proxy's", { status: 200, body: "<html>welcome</html>" }, "status 200, but not a bulk answer"],
    [
      "answers 200 for fewer documents than came",
      { status: 200, body: '{"errors":false,"items":[]}' },
      "status 200, but not a bulk answer",
    ],
    ["redirects", { status: 302, body: "" }, "cannot be reached"],
  ])("%s: gets everything again", async (what, told, reason) => {
    const name = what.replaceAll(/\W/g, "-");
    const elastic = await createReceiver(() => told);
    const pump = pumpOf(elasticAt(name, elastic));
    await pump.run();
    expect((await pump.standing())[name]).toMatchObject({
      waiting: await sizeOf(),
      dead: 0,
      lastError: told.status === 302 ? expect.any(String) : reason,
    });
    elastic.answer = (request) => bulkAnswer(request, () => 201);
    elastic.received.splice(0);
    clock += 60_000;
    await pump.run();
    expect(sequencesOf(elastic)).toEqual(await all());
    expect((await pump.standing())[name]).toMatchObject({ waiting: 0, failingForMs: null });
    await elastic.close();
  });

  it("lies with a 200 over one document that it was too busy for: gets the batch again, and keeps one of each", async () => {
    const elastic = await createReceiver((request) => bulkAnswer(request, (sequence) => (sequence === 5 ? 429 : 201)));
    const pump = pumpOf(elasticAt("liar", elastic));
    await pump.run();
    expect((await pump.standing()).liar).toMatchObject({
      waiting: await sizeOf(),
      lastError: "a document's status 429: mapper_parsing_exception",
    });
    elastic.answer = (request) => bulkAnswer(request, (sequence) => (sequence === 5 ? 201 : 409));
    clock += 60_000;
    await pump.run();
    expect((await pump.standing()).liar).toMatchObject({ waiting: 0, dead: 0 });
    await elastic.close();
  });

  it("refuses an entry for good: it is counted and named, and the others arrive", async () => {
    const elastic = await createReceiver((request) => bulkAnswer(request, (sequence) => (sequence % 10 === 3 ? 400 : 201)));
    const splunk = await createReceiver(({ body }) => (body.includes('"sequence":7,') ? { status: 400, body: '{"code":6}' } : taken));
    const pump = pumpOf(
      elasticAt("picky", elastic),
      createSplunkSink({ name: "picky-splunk", url: splunk.url, token: "t", format: formats.ocsf }),
    );
    await pump.run();
    const size = await sizeOf();
    const standing = await pump.standing();
    expect(standing.picky).toMatchObject({
      waiting: 0,
      dead: Math.ceil((size - 3) / 10),
      lastError: "status 400: mapper_parsing_exception",
    });
    expect(standing["picky-splunk"]).toMatchObject({ waiting: 0, dead: 1, lastError: "status 400, code 6" });
    const accepted = splunk.received.filter(({ body }) => !body.includes('"sequence":7,'));
    const sequences = accepted.flatMap(({ body }) => body.split("\n").map((line) => JSON.parse(line).event.metadata.sequence));
    expect(sequences).toEqual((await all()).filter((sequence) => sequence !== 7));
    await Promise.all([elastic.close(), splunk.close()]);
  });

  it("is asked again after 1, 2, 4 … at most 60 seconds", async () => {
    const elastic = await createReceiver(() => ({ status: 500, body: "" }));
    const pump = pumpOf(elasticAt("patient", elastic));
    const askedAt: number[] = [];
    const start = clock;
    for (; clock < start + 200_000; clock += 500) {
      const before = elastic.received.length;
      await pump.run();
      if (elastic.received.length > before) askedAt.push(clock - start);
    }
    const waits = askedAt.slice(1).map((at, i) => at - (askedAt[i] ?? 0));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    await elastic.close();
  });

  it("does not keep another sink, the log or the gateway waiting, and shows", { timeout: 40_000 }, async () => {
    const slow = await createReceiver(() => null);
    const quick = await createReceiver((request) => bulkAnswer(request, () => 201));
    const own = await createGateway({ keeper: { sinks: [elasticAt("slow", slow), elasticAt("quick", quick)] } });
    await own.call("GET", "/v1/contracts/c-none/audit/entries");
    await own.keeper.sequence();
    const pumping = own.keeper.pump.run();
    await expect.poll(() => quick.received.length).toBe(1);
    await own.call("GET", "/v1/contracts/c-none/audit/entries");
    expect(await own.keeper.sequence()).toBe(1);
    const ready = await own.call("GET", "/readyz");
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: "ok", sinks: { quick: "ok, 1 waiting, 0 dead letters" } }]);
    await pumping;
    expect((await own.keeper.pump.standing()).slow).toMatchObject({ lastError: "no answer in time" });
    const { sinks } = (await (await own.call("GET", "/readyz")).json()) as { sinks: Record<string, string> };
    expect(sinks.slow).toMatch(/^failing for \d+ s, 2 waiting, 0 dead letters$/);
    expect(own.faults).toEqual([]);
    await Promise.all([slow.close(), quick.close(), own.close()]);
  });
});

describe("two processes", () => {
  it("do not feed one sink at once", async () => {
    const elastic = await createReceiver(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return bulkAnswer(request, () => 201);
    });
    await Promise.all([pumpOf(elasticAt("shared", elastic)).run(), pumpOf(elasticAt("shared", elastic)).run()]);
    expect(sequencesOf(elastic)).toEqual(await all());
    await elastic.close();
  });
});

async function listen(onConnection: (socket: Socket) => unknown): Promise<Server> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

/** RFC 6587, octet counting. */
function unframe(text: string): string[] {
  const messages: string[] = [];
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    const space = rest.indexOf(0x20);
    const end = space + 1 + Number(rest.subarray(0, space).toString());
    messages.push(rest.subarray(space + 1, end).toString());
    rest = rest.subarray(end);
  }
  return messages;
}
