/** The policy of a contract in force changes: by one owner where nothing is wider, by two where something is, and from the next request on. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as z from "zod";
import {
  type Agreement,
  because,
  bringIntoForce,
  contractText,
  expectStatus,
  importLines,
  search,
  shippedPolicy,
} from "./support/agreement.ts";
import { documentedAsk, problemShape, readDocument } from "./support/documented.ts";
import { audience, createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";
import { changedShape, policyShape } from "./support/policy-answers.ts";
import { until } from "./support/until.ts";

const shipped = shippedPolicy("cs-standard");
const wide = "{ plain: reveal, person_name: reveal, address: mask, phone: reveal, email: mask, free_text: withhold, resident_id: mask }";
const narrow = shipped.replace("      name: mask", "      name: withhold");
const wider = shipped.replace("      name: mask", "      name: reveal");
const customer = { id: "U1", name: "欧阳娜娜", phone: "13800138000", email: "nana@example.com", note: "vip since 2019", vip: true };

let gateway: Gateway;
beforeAll(async () => {
  gateway = await createGateway();
});
afterAll(() => gateway.close());

/** A contract of its own for each story. */
async function inForce(contract: string, agreement: Agreement = {}): Promise<void> {
  await bringIntoForce(gateway, { contract, ceiling: wide, ...agreement });
  await importLines(gateway, [customer], { contract });
}

function put(
  contract: string,
  policy: string,
  { as = "owner-1", replaces, ...agreement }: Agreement & { as?: string; replaces?: string } = {},
) {
  const text = contractText({ contract, ceiling: wide, ...agreement });
  const files = { contract: { name: "contract.yaml", text }, policy: { name: "policy.yaml", text: policy } };
  return gateway.call("PUT", `/v1/contracts/${contract}/policy`, { as, body: { ...files, ...(replaces && { replaces }) }, ...because });
}

async function change(answer: Promise<Response>, status: number): Promise<z.infer<typeof changedShape>> {
  return changedShape.parse(await (await expectStatus(answer, status)).json());
}

async function policyOf(contract: string, query = "", as = "owner-1"): Promise<z.infer<typeof policyShape>> {
  return policyShape.parse(await (await expectStatus(gateway.call("GET", `/v1/contracts/${contract}/policy${query}`, { as }), 200)).json());
}

async function problemOf(answer: Promise<Response>, status: number): Promise<z.infer<typeof problemShape>> {
  return problemShape.parse(await (await expectStatus(answer, status)).json());
}

const approve = (id: string | undefined, as = "owner-2") => gateway.call("POST", `/v1/approvals/${id}/approve`, { as });
const nameSeen = async (contract: string) => (await search(gateway, { id: "U1" }, { contract })).records[0]?.fields.name;

async function logged(contract: string) {
  const entries = await entriesOf({ owner: gateway.database }, contract);
  return entries.map(({ entry }) => entry).filter(({ event }) => event.startsWith("policy.") || event === "approval.rejected");
}

describe("a change that narrows", () => {
  it("takes effect at once, by one owner, from the next request on, and the log has both digests", async () => {
    await inForce("c-narrow");
    const before = (await policyOf("c-narrow")).in_force;
    expect(await nameSeen("c-narrow")).toBe("欧阳**");
    const changed = await change(put("c-narrow", narrow), 200);
    expect(changed).toMatchObject({ contract: "c-narrow", before });
    expect(changed.approval).toBeUndefined();
    expect(changed.differences.map(({ direction }) => direction)).toEqual(["narrowed", "narrowed"]);
    expect(await nameSeen("c-narrow")).toBeNull();
    const { in_force, pending } = await policyOf("c-narrow");
    expect([in_force, pending]).toEqual([changed.after, []]);
    expect((await logged("c-narrow")).find(({ event }) => event === "policy.changed")).toMatchObject({
      actor: { role: "merchant_owner" },
      outcome: { effect: "allow", code: "narrowed" },
      facts: { contract: "c-narrow", before, after: changed.after, widened: 0, changed: 0, narrowed: 2 },
    });
    const searches = (await entriesOf({ owner: gateway.database }, "c-narrow")).filter(({ entry }) => entry.event === "record.searched");
    expect(searches.map(({ entry }) => entry.decision?.policy)).toEqual([before, changed.after]);
  });

  it("keeps the bundle that was, which entries still name", async () => {
    const [first] = await logged("c-narrow");
    const before = String(first?.facts?.digest);
    expect(await policyOf("c-narrow", `?digest=${before}`, "officer")).toMatchObject({ digest: before, bundle: { policy: "cs-standard" } });
    const nowhere = `sha256:${"0".repeat(64)}`;
    await problemOf(gateway.call("GET", `/v1/contracts/c-narrow/policy?digest=${nowhere}`, { as: "owner-1" }), 404);
  });

  it("and the same files again change nothing", async () => {
    const { in_force } = await policyOf("c-narrow");
    expect(await change(put("c-narrow", narrow), 200)).toEqual({
      contract: "c-narrow",
      before: in_force,
      after: in_force,
      differences: [],
    });
  });
});

describe("a change that widens", () => {
  it("waits for a second owner, who sees what it widens, and not for the first", async () => {
    await inForce("c-wide");
    const changed = await change(put("c-wide", wider), 202);
    expect(changed.differences).toContainEqual(
      expect.objectContaining({ field: "name", before: "mask", after: "reveal", direction: "widened" }),
    );
    expect(changed.approval).toMatchObject({ action: "change_policy", state: "requested" });
    expect(await nameSeen("c-wide")).toBe("欧阳**");
    const { in_force, pending } = await policyOf("c-wide", "", "owner-2");
    expect(in_force).toBe(changed.before);
    expect(pending).toMatchObject([{ approval: { id: changed.approval?.id }, after: changed.after, differences: changed.differences }]);
    expect((await problemOf(approve(changed.approval?.id, "owner-1"), 403)).code).toBe("own_request");

    const approved = await expectStatus(approve(changed.approval?.id), 200);
    expect(await approved.json()).toMatchObject({ result: { contract: "c-wide", digest: changed.after } });
    expect(await nameSeen("c-wide")).toBe("欧阳娜娜");
    const digests = { before: changed.before, after: changed.after };
    expect((await logged("c-wide")).filter(({ event }) => event !== "policy.read")).toMatchObject([
      { event: "policy.change_requested", outcome: { code: "requested" }, facts: { ...digests, widened: 2 } },
      { event: "policy.changed", outcome: { code: "approved" }, facts: { ...digests, approval: changed.approval?.id } },
    ]);
  });

  it("is refused by a second owner without a trace in what is seen", async () => {
    await inForce("c-rejected");
    const changed = await change(put("c-rejected", wider), 202);
    await expectStatus(gateway.call("POST", `/v1/approvals/${changed.approval?.id}/reject`, { as: "owner-2", ...because }), 200);
    expect((await policyOf("c-rejected")).pending).toEqual([]);
    expect(await nameSeen("c-rejected")).toBe("欧阳**");
    const rejected = (await logged("c-rejected")).find(({ event }) => event === "approval.rejected");
    expect(rejected?.facts).toMatchObject({ before: changed.before, after: changed.after });
  });

  it("is not carried out once something else was changed since", async () => {
    await inForce("c-late");
    const changed = await change(put("c-late", wider), 202);
    await change(put("c-late", narrow, { as: "owner-2" }), 200);
    expect((await policyOf("c-late")).pending).toEqual([]);
    expect((await problemOf(approve(changed.approval?.id), 409)).code).toBe("wrong_state");
    expect(await nameSeen("c-late")).toBeNull();
  });

  it.each([
    ["a role more", { roles: "[first_line]" }, { roles: "[first_line, senior]" }],
    ["a purpose more", {}, { purposes: "{ after_sales: {}, ads: {} }" }],
    ["no hours any more", { more: 'hours: { from: "00:00", to: "23:59" }' }, {}],
  ])("may be %s in the contract alone", async (what, before, after) => {
    const contract = `c-${what.replaceAll(" ", "-")}`;
    await bringIntoForce(gateway, { contract, ceiling: wide, ...before, seats: "" });
    await change(put(contract, shipped, after), 202);
    await change(put(contract, shipped, before), 200);
  });

  it("fifty approvals at once are one, and of twenty changes at once one is in force", async () => {
    await inForce("c-many");
    const changed = await change(put("c-many", wider), 202);
    const answers = await Promise.all(Array.from({ length: 50 }, () => approve(changed.approval?.id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const { in_force: replaces } = await policyOf("c-many");
    const policies = Array.from({ length: 20 }, (_, i) => `${shipped}# ${"\n".repeat(i)}`.replace("roles:", `${"\n".repeat(i + 1)}roles:`));
    const raced = await Promise.all(policies.map((policy) => put("c-many", policy, { replaces })));
    expect(raced.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(raced.map(({ status }) => status))).toEqual(new Set([200, 409]));
  });
});

describe("beside a change", () => {
  it("only so many wait at a time, and asking again for one of them is no more", async () => {
    await inForce("c-waiting");
    const asked = (count: number) => put("c-waiting", wider.replace("roles:", `${"\n".repeat(count)}roles:`));
    for (let i = 0; i < 10; i++) await change(asked(i), 202);
    expect((await problemOf(asked(10), 409)).code).toBe("busy");
    await change(asked(3), 202);
    expect((await policyOf("c-waiting")).pending).toHaveLength(10);
  });

  it("an import that began before it writes nothing more by the policy that is over", async () => {
    await inForce("c-import");
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const lines = (from: number) => Array.from({ length: 600 }, (_, i) => `{"id":"S${from + i}","name":"林"}\n`).join("");
    const headers = { authorization: `Bearer ${await gateway.token("owner-1")}`, "content-type": "application/x-ndjson" };
    const request = { method: "POST", headers, body: readable, duplex: "half" };
    const imported = gateway.app.request(`${audience}/v1/contracts/c-import/records/customer/import`, request);
    await writer.write(Buffer.from(lines(0)));
    const count = async () =>
      Number((await gateway.database.query("select count(*) from postern.record where contract_id = 'c-import'"))[0]?.[0]);
    await until("a batch", async () => (await count()) === 501, 10_000);
    await change(put("c-import", narrow), 200);
    await writer.write(Buffer.from(lines(600))).catch(() => undefined);
    await writer.close().catch(() => undefined);
    expect((await problemOf(Promise.resolve(imported), 409)).code).toBe("wrong_state");
    expect(await count()).toBe(501);
  });
});

describe("what a change of policy may not do", () => {
  beforeAll(() => inForce("c-fixed"));

  it.each([
    ["its vendor", "vendor: v-yunfu", "vendor: v-other", /^contract\.yaml:2:\d+$/],
    ["its end", "end: 2099-01-01", "end: 2098-01-01", /^contract\.yaml:3:\d+$/],
    ["its zone", "zone: Asia/Shanghai", "zone: UTC", /^contract\.yaml:3:\d+$/],
    ["its purge", "backup_horizon: 30d", "backup_horizon: 1d", /^contract\.yaml:8:\d+$/],
    ["its id", "contract: c-fixed", "contract: c-else", /^contract\.yaml:1:\d+$/],
  ])("change %s", async (_what, from, to, pointer) => {
    const text = contractText({ contract: "c-fixed", ceiling: wide }).replace(from, to);
    const body = { contract: { name: "contract.yaml", text }, policy: { name: "policy.yaml", text: shipped } };
    const problem = await problemOf(gateway.call("PUT", "/v1/contracts/c-fixed/policy", { as: "owner-1", body }), 422);
    expect(problem.errors).toMatchObject([{ code: "fixed_term", pointer: expect.stringMatching(pointer) }]);
  });

  it("start from another digest than the caller saw, from a draft, or from files with a mistake", async () => {
    expect((await problemOf(put("c-fixed", narrow, { replaces: `sha256:${"0".repeat(64)}` }), 409)).code).toBe("wrong_state");
    expect((await problemOf(put("c-fixed", shipped.replace("class: phone,", "class: phon,")), 422)).errors?.[0]?.pointer).toMatch(
      /^policy\.yaml:/,
    );
    const files = {
      contract: { name: "contract.yaml", text: contractText({ contract: "c-draft" }) },
      policy: { name: "p.yaml", text: shipped },
    };
    await expectStatus(gateway.call("POST", "/v1/contracts", { as: "owner-1", body: files }), 200);
    expect((await problemOf(put("c-draft", shipped), 409)).code).toBe("wrong_state");
  });

  it("be anybody's but the merchant's owners'; their officers read it", async () => {
    const ask = documentedAsk(gateway, await readDocument(gateway));
    const path = "/v1/contracts/c-fixed/policy";
    const body = { contract: { name: "c", text: "" }, policy: { name: "p", text: "" } };
    expect(await ask("PUT", path, { as: "officer", body })).toMatchObject({ status: 403 });
    expect(await ask("PUT", path, { as: "agent-1", body })).toMatchObject({ status: 403 });
    expect(await ask("PUT", path, { as: "owner-b1", body })).toMatchObject({ status: 404 });
    expect(await ask("PUT", path, { as: "owner-1", body: { ...body, force: true } })).toMatchObject({ status: 422 });
    expect(await ask("GET", path, { as: "officer" })).toMatchObject({ status: 200 });
    expect(await ask("GET", path, { as: "agent-1" })).toMatchObject({ status: 403 });
    expect(await ask("GET", `${path}?digest=x`, { as: "owner-1" })).toMatchObject({ status: 400 });
  });
});

describe("a field of another class", () => {
  // Nothing else of the level that it moves from is shown: it is opened for this field alone.
  const before = shipped.replace("email:         { class: email, search: true }", "email:         { class: passport }");
  const reclassed = before.replace("{ class: passport }", "{ class: email }");
  const ceiling = wide.replace("plain: reveal", "plain: reveal, passport: mask");
  const seen = async (contract: string) => (await search(gateway, { id: "U1" }, { contract })).records[0]?.fields.email;
  const become = async (policy: string) => {
    const { approval: asked } = await change(put("c-class", policy, { ceiling }), 202);
    await expectStatus(approve(asked?.id), 200);
  };

  it("is read where it lies, under the new class, until its record is written again", async () => {
    await inForce("c-class", { policy: before, ceiling });
    const masked = await seen("c-class");
    expect(masked).not.toBe("n***@example.com");
    await become(reclassed);
    expect(await seen("c-class")).toBe("n***@example.com");
    await become(before);
    expect(await seen("c-class")).toBe(masked);
    await become(reclassed);
    expect(await seen("c-class")).toBe("n***@example.com");
    await importLines(gateway, [{ ...customer, email: "moved@example.com" }], { contract: "c-class" });
    expect(await seen("c-class")).toBe("m***@example.com");
    await become(before);
    expect(await seen("c-class")).toMatch(/\*/);
  });

  it("that is searched from now on is found once its record is written again", async () => {
    const searched = shipped.replace("level:         { class: plain }", "level:         { class: plain, search: true }");
    await inForce("c-search");
    await importLines(gateway, [{ ...customer, level: "gold" }], { contract: "c-search" });
    const changed = await change(put("c-search", searched), 202);
    expect(changed.differences).toMatchObject([
      { what: "search", direction: "widened", after: "searchable, as records are imported again" },
    ]);
    await expectStatus(approve(changed.approval?.id), 200);
    expect((await search(gateway, { level: "gold" }, { contract: "c-search" })).records).toHaveLength(0);
    await importLines(gateway, [{ ...customer, level: "gold" }], { contract: "c-search" });
    expect((await search(gateway, { level: "gold" }, { contract: "c-search" })).records).toHaveLength(1);
  });
});

it("nothing of all that was a fault", () => expect(gateway.faults).toEqual([]));
