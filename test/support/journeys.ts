/**
 * What people come for, from the draft of a contract to the certificate of its end, through the doors alone. Every runtime and database that we
 * promise runs these tests by the same names; a world says how its doors are reached and how its keeper is made to work.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatVkey, parseTrust, readBundle, type Trust } from "../../src/audit/index.ts";
import { parsePromise } from "../../src/audit/promise.ts";
import { verifyReceipt } from "../../src/audit/receipt.ts";
import { verifyExport } from "../../src/audit/verify.ts";
import { verifySignature } from "../../src/crypto/index.ts";
import { verifyCertificate } from "../../src/purge/verify-certificate.ts";
import { because, bringIntoForce, contractText, expectStatus, importLines, search, shippedPolicy } from "./agreement.ts";
import type { Door } from "./gateway.ts";
import { codeOf, describeRefusals } from "./journey-refusals.ts";
import { approvePurge, contentOf, fetchCertificate, neighbour, orderPurge, verifyLog } from "./purge-world.ts";
import { acknowledge, fetchReturn, makeMerchantKey } from "./returned.ts";
import { walkLog } from "./tlog-reader.ts";

export interface JourneyWorld extends Door {
  /** What the keeper does by itself as time passes: numbers what waits, and runs what was ordered to its end. */
  keep(): Promise<void>;
  /** How many write the log. Default: 2, an edge and a keeper. */
  readonly writers?: number;
  /** Faults that nobody expected, since the start. */
  faults(): readonly unknown[];
  close(): Promise<void>;
}

const base = "/v1/contracts/c-test";
const records = `${base}/records/customer`;
const nowhere = `r_${"a".repeat(26)}`;
const customer = {
  id: "U1",
  name: "欧阳娜娜",
  phone: "138 0013 8000",
  email: "nana@example.com",
  address: "浙江省杭州市西湖区文三路90号",
  id_card: "330106199001011234",
  note: "call 13800138000",
  vip: true,
  device_id: "device-77-nana",
};
const canaries = ["欧阳娜娜", "13800138000", "138 0013 8000", "nana@", "文三路90号", "330106199001011234", "device-77-nana"];

/** What later journeys need of earlier ones. */
interface Told {
  trust?: Trust;
  promise?: string;
}

export function describeJourneys(name: string, open: () => Promise<JourneyWorld>, { skip = false } = {}): void {
  describe.skipIf(skip)(name, () => {
    let world: JourneyWorld;
    const door: Door = { call: (...args) => world.call(...args) };
    const told: Told = {};
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    afterAll(async () => {
      await world?.close();
    });
    describeAgreement(door, told, () => world.writers ?? 2);
    describeDisclosure(door, told);
    describeRefusals(door, canaries);
    describeOversight(door, told, () => world.keep());
    describePolicyChange(door);
    describePurge(door, told, () => world.keep());
    it("nothing went wrong that nobody expected", () => expect(world.faults()).toEqual([]));
  });
}

function describeAgreement(door: Door, told: Told, writers: () => number): void {
  describe("owners bring a contract into force and fill it", () => {
    it("by two of them, and not by one", async () => {
      const files = {
        contract: { name: "contract.yaml", text: contractText() },
        policy: { name: "policy.yaml", text: shippedPolicy("cs-standard") },
      };
      await expectStatus(door.call("POST", "/v1/contracts", { as: "owner-1", body: files }), 200);
      const asked = await expectStatus(door.call("POST", `${base}/activate`, { as: "owner-1" }), 202);
      const { approval } = (await asked.json()) as { approval: { id: string } };
      const approve = `/v1/approvals/${approval.id}/approve`;
      expect(await codeOf(door.call("POST", approve, { as: "owner-1" }))).toBe("403 own_request");
      expect(await codeOf(door.call("POST", approve, { as: "owner-b1" }))).toBe("404 not_found");
      const approved = await expectStatus(door.call("POST", approve, { as: "owner-2" }), 200);
      const { result } = (await approved.json()) as { result: { trust: unknown } };
      const trust = parseTrust(JSON.stringify(result.trust));
      if (!trust.ok) throw new Error(trust.refusal);
      told.trust = trust.value;
      expect(trust.value.writers.size).toBe(writers());
      await bringIntoForce(door, { ...neighbour, seats: "demo,agent-9,senior,赵六\n" });
    });

    it("with seats from a CSV, all or nothing", async () => {
      const seat = (rows: string) => {
        const body = `issuer,subject,role,name\n${rows}`;
        return door.call("POST", `${base}/agents`, { as: "owner-1", body, headers: { "content-type": "text/csv" } });
      };
      expect(await codeOf(seat("demo,agent-1,first_line,林小满\ndemo,agent-3,boss,x\n"))).toBe("422 unacceptable");
      expect(await codeOf(door.call("GET", `${records}/${nowhere}`, { as: "agent-1" }))).toBe("404 not_found");
      expect(await (await expectStatus(seat("demo,agent-1,first_line,林小满\ndemo,agent-2,senior,欧阳明\n"), 200)).json()).toEqual({
        seats: 2,
      });
    });

    it("with records from NDJSON, where a bad line is named and the rest goes in", async () => {
      const second = { id: "U2", name: "Al", phone: "+44 20 7946 0958" };
      const lines = `${JSON.stringify(customer)}\n{"id":"U3","name":\n${JSON.stringify(second)}\n[]\n`;
      expect(await importLines(door, lines)).toMatchObject({
        lines: 4,
        created: 2,
        updated: 0,
        rejected_count: 2,
        unnamed: { device_id: 1 },
      });
      expect(await importLines(door, [customer])).toMatchObject({ created: 0, updated: 1 });
      const orders = '{"id":"O1","customer_id":"U1","order_no":"1","amount":2188082354079975123}\n{"id":"O2"}\n';
      expect(await importLines(door, orders, { type: "order" })).toMatchObject({ created: 1, rejected: [{ line: 2, code: "no_subject" }] });
      await importLines(door, [{ id: "U7", name: "王五", phone: "13700137000" }], { contract: "c-other", owner: "owner-b1" });
    });

    it("once, however often they are sent under one Idempotency-Key", async () => {
      const headers = { "content-type": "application/x-ndjson", "idempotency-key": "a-key-of-the-journey" };
      const send = async (line: unknown, status: number) => {
        const asked = door.call("POST", `${records}/import`, { as: "owner-1", headers, body: `${JSON.stringify(line)}\n` });
        const answer = await expectStatus(asked, status);
        return [answer.headers.get("idempotency-replayed"), await answer.text()];
      };
      const [, first] = await send(customer, 200);
      expect(await send(customer, 200)).toEqual(["true", first]);
      expect((await send({ id: "U1" }, 422))[1]).toContain('"idempotency_key_reused"');
    });
  });
}

function describeDisclosure(door: Door, told: Told): void {
  describe("an agent asks for a customer record", () => {
    it("finds it by the phone that the caller says, in any spelling, masked", async () => {
      for (const phone of ["13800138000", "138-0013-8000", "+86 138 0013 8000", "１３８００１３８０００", "一三八零零一三八零零零"]) {
        const found = await search(door, { phone });
        expect(found.records.map(({ fields }) => [fields.name, fields.phone, fields.id_card])).toEqual([["欧阳**", "138****8000", null]]);
      }
      for (const by of [{ phone: "13900139000" }, { phone: "13700137000" }, { id: "U7" }])
        expect((await search(door, by)).records).toEqual([]);
    });

    it("reads it masked, with the reasons and a promise", async () => {
      const [found] = (await search(door, { id: "U1" })).records;
      const answer = await expectStatus(door.call("GET", `${records}/${found?.locator}`, { as: "agent-1" }), 200);
      told.promise = answer.headers.get("audit-promise") ?? "";
      expect(told.promise).toMatch(/^jws="[\w.-]+", id="[0-9a-f-]{36}", i=0, path=::$/);
      const text = await answer.text();
      for (const canary of canaries) expect(text + [...answer.headers].join()).not.toContain(canary);
      const record = JSON.parse(text) as { fields: Record<string, unknown>; masking: { path: string; why: string }[] };
      expect(record.fields).toMatchObject({ name: "欧阳**", phone: "138****8000", id_card: null, note: null, vip: true });
      expect(record.masking.find((note) => note.path === "phone")?.why).toMatch(/^role first_line: phone → mask \(policy\.yaml:\d+\)$/);
    });

    it("reads an order with every digit of its numbers", async () => {
      const found = await expectStatus(
        door.call("POST", `${base}/records/order/search`, { as: "agent-1", body: { by: { id: "O1" } } }),
        200,
      );
      expect(await found.text()).toContain('"amount":2188082354079975123');
    });

    it("sees which contracts are open to it", async () => {
      const me = async (as: string) => JSON.stringify(await (await expectStatus(door.call("GET", "/v1/me", { as }), 200)).json());
      expect(await me("agent-1")).toContain('"c-test"');
      expect(await me("agent-1")).not.toContain('"c-other"');
      expect(await me("stranger")).not.toContain('"c-');
    });
  });
}

interface Listed {
  readonly entries: readonly {
    event: string;
    actor: { subject: string | null };
    effect: string;
    code: string;
    fields: Record<string, string>;
  }[];
}

function describeOversight(door: Door, told: Told, keep: () => Promise<void>): void {
  describe("an officer oversees", () => {
    it("who saw what, newest first, and never the data", async () => {
      await keep();
      const list = async (query: string) =>
        (await expectStatus(door.call("GET", `${base}/audit/entries${query}`, { as: "officer" }), 200)).text();
      const byAgent = await list("?actor=demo/agent-1&limit=200");
      const { entries } = JSON.parse(byAgent) as Listed;
      const reads = entries.filter(({ event, effect }) => event === "record.read" && effect === "allow");
      expect(reads).toMatchObject([{ actor: { subject: "agent-1" }, fields: { name: "mask", phone: "mask" } }]);
      const denied = (JSON.parse(await list("?actor=demo/agent-1&effect=deny")) as Listed).entries.map(({ code }) => code);
      expect(denied).toEqual(expect.arrayContaining(["not_found", "not_permitted", "purpose_unknown"]));
      for (const canary of canaries) expect(byAgent).not.toContain(canary);
    });

    it("and takes the log away, which a stranger verifies with the trust file and the promises that agents kept", async () => {
      const { trust, promise = "" } = told;
      if (!trust) throw new Error("no trust file was handed out");
      const exported = await expectStatus(door.call("GET", `${base}/audit/export?format=bundle`, { as: "officer" }), 200);
      expect(exported.headers.get("content-type")).toBe("application/x-tar");
      const bytes = new Uint8Array(await exported.arrayBuffer());
      const verdictOn = async (tar: Uint8Array<ArrayBuffer>, seen: readonly string[]) =>
        verifyExport({ bundle: readBundle(new Blob([tar]).stream()), trust, seen, verifySignature });
      expect(await verdictOn(bytes, [promise])).toMatchObject({ ok: true, keys: "pinned", problems: [] });
      const forged = promise.replace(/id="[^"]*"/, 'id="019ab000-0000-7000-8000-000000000000"');
      expect((await verdictOn(bytes, [forged])).ok).toBe(false);
      const text = new TextDecoder().decode(bytes);
      for (const canary of [...canaries, "agent-1"]) expect(text).not.toContain(canary);
    });

    it("or walks it tile by tile; and an agent has the receipt of what it was promised", async () => {
      const { trust, promise = "" } = told;
      if (!trust) throw new Error("no trust file was handed out");
      const fetchFrom = (log: string, as?: string) => async (path: string) =>
        new Uint8Array(await (await expectStatus(door.call("GET", `/log/${log}/${path}`, as ? { as } : {}), 200)).arrayBuffer());
      const walked = await walkLog(fetchFrom("c-test", "officer"), formatVkey(trust.log));
      expect(walked.entries).toHaveLength(walked.size);
      expect((await walkLog(fetchFrom("gateway"), formatVkey(trust.gateway), { entries: false })).size).toBeGreaterThan(0);
      const receipt = door.call("GET", `/log/c-test/receipt/${parsePromise(promise)?.id}`, {
        as: "agent-1",
        headers: { prefer: "wait=2" },
      });
      const text = await (await expectStatus(receipt, 200)).text();
      expect(await verifyReceipt({ text, trust, kept: promise, verifySignature })).toMatchObject({ ok: true, problems: [] });
    });
  });
}

function describePolicyChange(door: Door): void {
  describe("owners change the policy in force", () => {
    const shipped = shippedPolicy("cs-standard");
    const put = (text: string) => {
      const files = { contract: { name: "contract.yaml", text: contractText() }, policy: { name: "policy.yaml", text } };
      return door.call("PUT", `${base}/policy`, { as: "owner-1", body: files, ...because });
    };
    const nameSeen = async () => (await search(door, { id: "U1" })).records[0]?.fields.name;

    it("to a narrower one at once, and back only by two of them", async () => {
      await expectStatus(put(shipped.replace("      name: mask", "      name: withhold")), 200);
      expect(await nameSeen()).toBeNull();
      const { approval } = (await (await expectStatus(put(shipped), 202)).json()) as { approval: { id: string } };
      const approve = `/v1/approvals/${approval.id}/approve`;
      expect(await codeOf(door.call("POST", approve, { as: "owner-1" }))).toBe("403 own_request");
      expect(await nameSeen()).toBeNull();
      await expectStatus(door.call("POST", approve, { as: "owner-2" }), 200);
      expect(await nameSeen()).toBe("欧阳**");
    });
  });
}

function describePurge(door: Door, told: Told, keep: () => Promise<void>): void {
  describe("the contract's end", () => {
    it("is ordered by one owner, approved by another, and certified", async () => {
      const { trust } = told;
      if (!trust) throw new Error("no trust file was handed out");
      const plan = await expectStatus(door.call("POST", `${base}/purges`, { as: "owner-1", body: { dry_run: true } }), 200);
      expect(await plan.json()).toMatchObject({ dies: { "postern.record": 3, "postern.subject_key": 2, "postern.seat": 2 } });
      const key = await makeMerchantKey();
      const { job } = await orderPurge(door, "c-test", "owner-1", { return: { to: key.jwk } });
      expect(await codeOf(door.call("POST", `${base}/purges/${job}/approve`, { as: "owner-1" }))).toBe("403 own_request");
      await approvePurge(door, job);
      await keep();
      const { shown: fetched, records: returned } = await fetchReturn(door, job, key);
      expect(returned).toHaveLength(3);
      await expectStatus(acknowledge(door, job, fetched.digest), 200);
      await keep();
      const shown = await expectStatus(door.call("GET", `${base}/purges/${job}`, { as: "owner-1" }), 200);
      expect(await shown.json()).toMatchObject({ step: "certified" });
      const events = await expectStatus(door.call("GET", `${base}/purges/${job}/events`, { as: "owner-1" }), 200);
      expect(await events.text()).toMatch(/^retry: 1000\n\nid: .+\nevent: certified\ndata: \{.*"step":"certified".*\}\n\n$/);
      const jws = await fetchCertificate(door, job);
      expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, contract: "c-test", job, problems: [] });
      expect(contentOf(jws).statement.deleted.en).toContain("3 records of 2 data subjects");
      expect((await verifyCertificate(`${jws.slice(0, -3)}AAA`, trust, verifySignature)).ok).toBe(false);
    });

    it("refuses the next read, like a stranger's", async () => {
      const asks = [
        door.call("GET", `${records}/${nowhere}`, { as: "agent-1" }),
        door.call("POST", `${records}/search`, { as: "agent-1", body: { by: { id: "U1" } } }),
        door.call("POST", `${records}/search`, { as: "stranger", body: { by: { id: "U1" } } }),
      ];
      for (const ask of asks) expect(await codeOf(ask)).toBe("404 not_found");
    });

    it("leaves a frozen log that verifies, and everybody else as they were", async () => {
      const { trust } = told;
      if (!trust) throw new Error("no trust file was handed out");
      expect(await verifyLog(door, trust)).toMatchObject({ ok: true, keys: "pinned", problems: [] });
      const { records: others } = await search(door, { id: "U7" }, { contract: "c-other", agent: "agent-9" });
      expect(others.map(({ fields }) => fields.name)).toEqual(["王**"]);
    });
  });
}
