/**
 * Answers as fields: made of other fields of the record, shown or not; nothing of those leaves but the answer.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../src/kernel/index.ts";
import { maskDocument } from "../src/masking/index.ts";
import {
  bundleText,
  compile,
  decide,
  type Facts,
  parseBundle,
  parseContract,
  parsePolicy,
  type Settled,
  settle,
  sortFields,
} from "../src/policy/index.ts";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";

const policy = `resources:
  order:
    subject: id
    fields:
      salutation:          { derive: { salutation: { name: receiver.name, gender: gender } } }
      age_band:            { derive: { age_band: birth_date } }
      receiver.same_phone: { derive: { same_as: [phone, receiver.mobile] } }
      carrier:             { derive: { carrier: phone } }
      gender:              { class: plain }
      status:              { class: plain }
      birth_date:          { class: birth_date }
      phone:               { class: phone, search: true }
      receiver.name:       { class: person_name }
      receiver.mobile:     { class: phone }
      "items[].sku":       { class: plain }
      id_card:             { class: resident_id }
      note:                { class: free_text }
roles:
  first_line:
    order:
      salutation: reveal
      age_band: reveal
      receiver.same_phone: reveal
      carrier: { reveal: { when: record.status == "open" }, else: withhold }
      status: reveal
`;
const ceiling = "{ derived: reveal, plain: reveal, phone: reveal, birth_date: reveal }";
const record: JsonObject = {
  status: "open",
  gender: "女",
  birth_date: "1990-05-06",
  phone: "13812345678",
  receiver: { name: "欧阳娜娜", mobile: "+86 138-1234-5678" },
};

function contract({ most = ceiling, purposes = "{ after_sales: {} }" } = {}): string {
  return `contract: c-1
parties: { merchant: m-1, vendor: v-1 }
term: { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
purposes: ${purposes}
ceiling: ${most}
policy: p
roles: [first_line]
`;
}

interface Setting {
  readonly text?: string;
  readonly most?: string;
  readonly purposes?: string;
  readonly purpose?: string;
}

/** What the first line gets of orders. */
function settled({ text = policy, purpose = "after_sales", ...agreed }: Setting, document: JsonObject = record): Settled {
  const [parsed, agreement] = [parsePolicy(text, "p.yaml"), parseContract(contract(agreed), "c.yaml")];
  if (!parsed.ok || !agreement.ok)
    throw new Error([parsed, agreement].flatMap(({ ok, ...rest }) => (ok ? [] : [JSON.stringify(rest)])).join());
  const bundle = compile(parsed.value, agreement.value);
  const decision = bundle.ok ? decide(parseBundle(bundleText(bundle.value)), { role: "first_line", type: "order", purpose }) : null;
  if (decision === null) throw new Error("no decision");
  const request = { hour: 9, minute: 0, weekday: 1, date: "2026-11-22", network: "", purpose, ticket: "" };
  const facts: Facts = {
    agent: { role: "first_line", issuer: "i", subject: "s" },
    contract: { id: "c-1", merchant: "m-1", vendor: "v-1" },
    request,
    record: document,
  };
  return settle(decision, facts);
}

function shown(setting: Setting, document: JsonObject = record, today = "2026-11-22"): JsonObject {
  return maskDocument(settled(setting, document).plan, document, { today, pseudonymKey: new Uint8Array(32).fill(1) }).fields;
}

const withRule = (rule: string) => policy.replace("      status: reveal\n", `      status: reveal\n      ${rule}\n`);

describe("a derived field", () => {
  it("is the answer, of fields that are themselves withheld", () => {
    expect(shown({})).toEqual({
      salutation: "欧阳女士",
      age_band: "30-39",
      carrier: "中国移动",
      status: "open",
      receiver: { same_phone: true, name: null, mobile: null },
      gender: null,
      birth_date: null,
      phone: null,
      id_card: null,
      items: null,
      note: null,
    });
  });

  it("is told on the day that is asked of, and of a child nothing but that", () => {
    expect(shown({}, record, "2029-05-05").age_band).toBe("30-39");
    expect(shown({}, record, "2030-05-06").age_band).toBe("40-49");
    expect(shown({}, { ...record, birth_date: "2020-01-01" }).age_band).toBe("[敏感:未成年人]");
  });

  it("is no answer where there is nothing to make it of, or something of another shape", () => {
    const none = { salutation: "您好", age_band: null, carrier: null, receiver: { same_phone: null, name: null, mobile: null } };
    expect(shown({}, { status: "open" })).toMatchObject(none);
    expect(
      shown({}, { status: "open", birth_date: 1990, phone: ["13812345678"], receiver: { name: { a: "林" }, mobile: null } }),
    ).toMatchObject(none);
    expect(shown({}, { ...record, receiver: "林黛玉 13812345678" }).receiver).toMatchObject({ same_phone: null });
  });

  it("is never what a document says under its name", () => {
    const lie = { ...record, salutation: "13812345678", age_band: { secret: "13812345678" } };
    expect(shown({}, lie)).toMatchObject({ salutation: "欧阳女士", age_band: "30-39" });
    const counted = maskDocument(settled({}).plan, lie, { today: "2026-11-22", pseudonymKey: new Uint8Array(32) }).unknown;
    expect(counted).toBe(2);
  });

  it("opens the levels that it is made of, and no other", () => {
    expect(settled({}).levels).toEqual([0, 1, 2]);
    const alone = policy.replace(/ {6}(salutation|age_band|receiver.same_phone): reveal\n/g, "");
    expect(settled({ text: alone }).levels).toEqual([0, 2]);
    expect(settled({ text: alone }, { ...record, status: "closed" }).levels).toEqual([0]);
  });

  it("is told apart in the notes: why it is withheld, and nothing where it is shown", () => {
    const closed = settled({}, { ...record, status: "closed" }).masking;
    expect(closed.find(({ path }) => path === "carrier")).toEqual({
      path: "carrier",
      class: "derived",
      treatment: "withhold",
      why: "role first_line: carrier → withhold (p.yaml:24); the condition in line 24 does not hold",
      can: [],
    });
    expect(settled({}).masking.map(({ path }) => path)).not.toContain("salutation");
  });

  it("is capped by the contract's ceiling for derived, and nothing else", () => {
    const withheld = { salutation: null, age_band: null, carrier: null };
    expect(shown({ most: ceiling.replace("derived: reveal, ", "") })).toMatchObject(withheld);
    expect(shown({ most: "{ derived: withhold, plain: reveal }" })).toMatchObject(withheld);
    expect(shown({ most: "{ derived: reveal }" })).toMatchObject({ salutation: "欧阳女士", age_band: "30-39" });
  });

  it.each([
    ["that needs what it is made of", "{ classes: [person_name] }", { salutation: "欧阳女士", age_band: null, carrier: null }],
    ["that needs answers", "{ classes: [derived] }", { salutation: "欧阳女士", age_band: "30-39", carrier: "中国移动" }],
    ["that needs the phone alone", "{ preset: after_sales }", { salutation: null, age_band: null, carrier: "中国移动" }],
    ["that needs nothing", "{ classes: [] }", { salutation: null, age_band: null, carrier: null }],
  ])("leaves for a purpose %s", (_what, purpose, expected) => {
    expect(shown({ purposes: `{ after_sales: ${purpose} }` })).toMatchObject(expected);
  });

  it("does not complete what stands beside it, and says so", () => {
    const band = (rule: string) => shown({ text: withRule(rule) }).age_band;
    expect(band("birth_date: { generalize: { to: year } }")).toBeNull();
    expect(band("birth_date: mask")).toBeNull();
    expect(band("birth_date: { mask: { profile: strict } }")).toBe("30-39");
    expect(band("birth_date: reveal")).toBe("30-39");
    const same = (text: string): Json | undefined => (shown({ text }).receiver as JsonObject).same_phone;
    expect(same(withRule("phone: mask"))).toBe(true);
    expect(same(withRule("phone: reveal"))).toBeNull();
    expect(same(withRule("phone: reveal\n      receiver.mobile: reveal"))).toBe(true);
    const notes = settled({ text: withRule("phone: reveal") }).masking;
    expect(notes.find(({ path }) => path === "receiver.same_phone")?.why).toContain("lowered: to be the same as a value that is shown");
  });

  it("is not stored, and not indexed, whatever an import brings under its name", () => {
    const parsed = parsePolicy(policy, "p.yaml");
    const order = parsed.ok ? parsed.value.resources.order : undefined;
    if (!order) throw new Error("no resource");
    const fields = Object.fromEntries(
      Object.entries(order.fields).map(([path, { class: name, search: indexed, derive }]) => [
        path,
        { class: name, search: indexed, ...(derive && { derive: { answer: derive.answer, from: [...derive.from] } }) },
      ]),
    );
    const sorted = sortFields({ ...order, fields }, { ...record, salutation: "张女士", receiver: { same_phone: true } });
    expect([...sorted.unnamed].sort()).toEqual(["receiver.same_phone", "salutation"]);
    expect(JSON.stringify(sorted.levels)).not.toMatch(/张女士|same_phone/);
    expect(sorted.searchable.map(({ field }) => field)).toEqual(["phone"]);
  });
});

describe("an agent who is given an answer", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await createGateway();
    await bringIntoForce(gateway, {
      policy,
      ceiling: "{ derived: reveal, plain: reveal }",
      roles: "[first_line]",
      seats: "demo,agent-1,first_line,林\n",
    });
  });
  afterAll(() => gateway.close());

  it("gets it and nothing of what it is made of; the log names it; the import kept nothing under its name", async () => {
    const imported = await importLines(gateway, [{ id: "O1", ...record, salutation: "先生" }], { type: "order" });
    expect(imported).toMatchObject({ created: 1, unnamed: { salutation: 1 } });
    const [found] = (await search(gateway, { phone: "138 1234 5678" }, { type: "order" })).records;
    expect(found?.fields).toMatchObject({
      salutation: "欧阳女士",
      age_band: "30-39",
      carrier: "中国移动",
      receiver: { same_phone: true, mobile: null },
    });
    expect(JSON.stringify(found)).not.toMatch(/1381234|娜|1990|先生/);
    const entries = await entriesOf({ owner: gateway.database });
    expect(JSON.stringify(entries.at(-1))).toMatch(/"age_band":"reveal"/);
    const refused = await gateway.call("POST", "/v1/contracts/c-test/records/order/search", {
      as: "agent-1",
      body: { by: { carrier: "中国移动" } },
    });
    expect(refused.status).toBe(403);
  });
});
