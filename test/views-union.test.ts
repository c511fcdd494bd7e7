/**
 * All views that a role has of one value, laid over each other: of one phone through the agents' door (INFER-01), and of any value under any policy
 * that the check has nothing to say of.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Json } from "../src/kernel/index.ts";
import {
  classNames,
  type DataClass,
  generalizationsOf,
  type MaskProfile,
  maskDocument,
  piecedTogether,
  placesOf,
} from "../src/masking/index.ts";
import { checkFiles, compile, decide, parseContract, parsePolicy, settle } from "../src/policy/index.ts";
import { bringIntoForce, importLines } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";

vi.setConfig({ testTimeout: runsTimeoutMs });

const phone = "13827465190";
const policyOf = (profile: string) => `resources:
  customer:
    subject: id
    fields:
      name: { class: person_name }
      phone: { class: phone, search: true }
      wechat: { class: messenger_account }
      note: { class: free_text }
      carrier: { derive: { carrier: phone } }
  order:
    subject: { customer: customer_id }
    fields:
      status: { class: plain }
      buyer.phones[]: { class: phone }
      receiver.mobile: { class: phone, search: true }
      receiver.same: { derive: { same_as: [receiver.mobile, receiver.phone] } }
      receiver.phone: { class: phone }
      chat$.from: { class: phone }
      message: { class: free_text }
roles:
  first_line:
    customer:
      name: mask
      phone: { mask: { purposes: [after_sales] }, else: { mask: { profile: strict } } }
      wechat: mask
      note: mask
      carrier: reveal
    order:
      status: reveal
      buyer.phones[]: { mask: { profile: hutool } }
      receiver.mobile: ${profile}
      receiver.same: reveal
      receiver.phone: { mask: { profile: strict } }
      chat$.from: mask
      message: mask
`;
const ceiling = "{ plain: reveal, derived: reveal, person_name: mask, phone: reveal, messenger_account: mask, free_text: reveal }";
const customer = { id: "U1", name: "林黛玉", phone, wechat: phone, note: `打 ${phone}` };
const order = {
  id: "O1",
  customer_id: "U1",
  status: "open",
  buyer: { phones: [phone, `+86 ${phone}`] },
  receiver: { mobile: "138-2746-5190", phone },
  chat: JSON.stringify({ from: phone }),
  message: phone,
};

/** Everything that an agent can make the gateway say of one customer and one order. */
async function everyView(gateway: Gateway): Promise<string[]> {
  const base = "/v1/contracts/c-test/records";
  const said: string[] = [];
  for (const purpose of ["after_sales", "logistics"]) {
    const ask = async (method: string, path: string, body?: unknown) => {
      const headers = { "postern-purpose": purpose };
      const answer = await gateway.call(method, path, { as: "agent-1", headers, ...(body === undefined ? {} : { body }) });
      const text = await answer.text();
      said.push(text, ...[...answer.headers].map(([name, value]) => `${name}: ${value}`));
      return text;
    };
    for (const [type, id, field] of [
      ["customer", "U1", "phone"],
      ["order", "O1", "receiver.mobile"],
    ] as const) {
      const found: unknown = JSON.parse(await ask("POST", `${base}/${type}/search`, { by: { id } }));
      const locator = /r_[a-z2-7]{26}/.exec(JSON.stringify(found))?.[0] ?? "";
      await ask("GET", `${base}/${type}/${locator}`);
      for (const spelled of [phone, "138 2746 5190", "一三八二七四六五一九〇"])
        await ask("POST", `${base}/${type}/search`, { by: { [field]: spelled } });
      await ask("POST", `${base}/${type}/search`, { by: { name: phone } });
      await ask("POST", `${base}/${type}/search`, { by: { [field]: phone, id } });
      await ask("GET", `${base}/${type}/${phone}`);
    }
    await ask("GET", "/v1/me");
  }
  return said;
}

/** Which digits of the phone stand in what was said: between stars, or in a row of four and more. */
function shownDigits(said: readonly string[]): Set<number> {
  const masked = said.flatMap((text) => text.match(/[0-9]*\*+[0-9]*/g) ?? []);
  const runsOfDigits = said.flatMap((text) => text.match(/[0-9]{4,}/g) ?? []).filter((run) => phone.includes(run));
  return new Set([...masked, ...runsOfDigits].flatMap((text) => [...placesOf(text, phone)]));
}

describe("all that an agent sees of one phone", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await createGateway();
  });
  afterAll(() => gateway.close());

  async function shown(profile: string, contract: string): Promise<Set<number>> {
    const purposes = "{ after_sales: {}, logistics: {} }";
    const seats = "demo,agent-1,first_line,林\n";
    await bringIntoForce(gateway, { contract, policy: policyOf(profile), ceiling, purposes, roles: "[first_line]", seats });
    await importLines(gateway, [customer], { contract });
    await importLines(gateway, [order], { contract, type: "order" });
    const said = await everyView({
      ...gateway,
      call: (method, path, options) => gateway.call(method, path.replace("c-test", contract), options),
    });
    return shownDigits(said);
  }

  it("is its first three and its last four digits, whatever is laid over each other", async () => {
    expect([...(await shown("mask", "c-test"))].sort((a, b) => a - b)).toEqual([0, 1, 2, 7, 8, 9, 10]);
  });

  it("is all of it only where a rule reveals it: the measure would see it", async () => {
    expect((await shown("reveal", "c-clear")).size).toBe(phone.length);
  });
});

describe("ways to show one value, laid over each other", () => {
  const mask = (profile: MaskProfile) => ({ treatment: "mask", profile }) as const;
  const [usual, strict, hutool] = [mask("cn-default"), mask("strict"), mask("hutool")];

  it("are one picture where they show more than any of them", () => {
    expect(piecedTogether("plate", [usual, strict, hutool])).toBe("浙A1*B4C");
    expect(piecedTogether("plate", [usual, strict])).toBeNull();
    expect(piecedTogether("plate", [usual, hutool, { treatment: "reveal" }])).toBeNull();
  });

  it("are none where they lie within each other, as all others of ours do", () => {
    for (const name of classNames.filter((known) => known !== "plate")) {
      const coarser = generalizationsOf(name).map((to) => ({ treatment: "generalize", to }) as const);
      expect([name, piecedTogether(name, [usual, strict, hutool, { treatment: "pseudonymize" }, ...coarser])]).toEqual([name, null]);
    }
  });
});

const values = {
  plate: "浙A12B4C",
  phone,
  resident_id: "330106199001011258",
  birth_date: "1990-05-06",
  messenger_account: phone,
  nickname: "noah_brown_6181",
  payment_card: "6222021234562631",
  address: "北京市海淀区马连洼街道289号",
} as const satisfies Partial<Record<DataClass, string>>;
type Class = keyof typeof values;
const names = Object.keys(values) as Class[];

const coarse: Readonly<Partial<Record<Class, readonly string[]>>> = { birth_date: ["year", "age_band"], address: ["district", "city"] };

function grantOf(name: Class): fc.Arbitrary<readonly [string, object]> {
  const masks = ["cn-default", "strict", "hutool"].map((profile) => ["mask", { profile }] as const);
  const generalized = (coarse[name] ?? []).map((to) => ["generalize", { to }] as const);
  return fc.constantFrom<readonly [string, object]>(["mask", {}], ["pseudonymize", {}], ...masks, ...generalized);
}

/** One or two alternatives; one that is not always there has something asked of it. */
function ruleOf(name: Class): fc.Arbitrary<object> {
  const asked = fc.constantFrom({}, { purposes: ["p1"] }, { purposes: ["p2"] }, { when: "request.hour < 12" });
  return fc.tuple(grantOf(name), asked, fc.option(grantOf(name))).map(([[word, options], extra, other]) => ({
    [word]: { ...options, ...extra },
    ...(other !== null && Object.keys(extra).length > 0 && { else: { [other[0]]: other[1] } }),
  }));
}

const field = fc.constantFrom(...names).chain((name) => ruleOf(name).map((rule) => ({ name, rule })));
const policies = fc.record({ a: fc.array(field, { minLength: 1, maxLength: 3 }), b: fc.array(field, { minLength: 1, maxLength: 2 }) });
type Policy = typeof policies extends fc.Arbitrary<infer Made> ? Made : never;
const types = ["a", "b"] as const;

function textOf(policy: Policy): string {
  const each = <Value>(make: (fields: Policy["a"]) => Value) => Object.fromEntries(types.map((type) => [type, make(policy[type])]));
  const named = <Value>(fields: Policy["a"], make: (one: Policy["a"][number]) => Value) =>
    Object.fromEntries(fields.map((one, n) => [`f${n}`, make(one)]));
  return JSON.stringify({
    resources: each((fields) => ({ subject: "id", fields: named(fields, ({ name }) => ({ class: name })) })),
    roles: { r: each((fields) => named(fields, ({ rule }) => rule)) },
  });
}

const contract = parseContract(
  JSON.stringify({
    contract: "c-1",
    parties: { merchant: "m", vendor: "v" },
    term: { start: "2026-01-01", end: "2027-01-01", zone: "UTC" },
    purposes: { p1: {}, p2: {} },
    ceiling: Object.fromEntries(names.map((name) => [name, "reveal"])),
    policy: "p",
    roles: ["r"],
  }),
  "c.yaml",
);

/** By class, what each answer to each question shows of it. */
function seenOf(policy: Policy): Map<Class, ReadonlySet<number>[]> {
  const parsed = parsePolicy(textOf(policy), "p.yaml");
  const bundle = parsed.ok && contract.ok ? compile(parsed.value, contract.value) : null;
  if (!bundle?.ok) throw new Error("does not compile");
  const seen = new Map<Class, ReadonlySet<number>[]>();
  for (const type of types) {
    const record = Object.fromEntries(policy[type].map(({ name }, n) => [`f${n}`, values[name] as Json]));
    for (const [purpose, hour] of [
      ["p1", 9],
      ["p2", 9],
      ["p1", 15],
      ["p2", 15],
    ] as const) {
      const decision = decide(bundle.value, { role: "r", type, purpose });
      if (decision === null) throw new Error("no decision");
      const request = { hour, minute: 0, weekday: 1, date: "2026-03-02", network: "", purpose, ticket: "" };
      const settled = settle(decision, {
        agent: { role: "r", issuer: "i", subject: "s" },
        contract: { id: "c-1", merchant: "m", vendor: "v" },
        request,
        record: {},
      });
      const { fields } = maskDocument(settled.plan, record, { today: "2026-03-02", pseudonymKey: new Uint8Array(32).fill(1) });
      policy[type].forEach(({ name }, n) => {
        const out = fields[`f${n}`];
        if (typeof out === "string") seen.set(name, [...(seen.get(name) ?? []), placesOf(out, values[name])]);
      });
    }
  }
  return seen;
}

describe("a policy that the check does not warn of", () => {
  it("shows of no value more by all its views than by one of them", () => {
    const said = { quiet: 0, warned: 0 };
    fc.assert(
      fc.property(policies, (policy) => {
        const { problems, warnings } = checkFiles([{ file: "p.yaml", text: textOf(policy) }]);
        fc.pre(problems.length === 0);
        const isWarned = warnings.some(({ code }) => code === "views_join" || code === "masks_join");
        said[isWarned ? "warned" : "quiet"]++;
        if (isWarned) return;
        for (const [name, views] of seenOf(policy)) {
          const union = new Set(views.flatMap((places) => [...places]));
          expect([name, union.size]).toEqual([name, Math.max(...views.map((places) => places.size))]);
        }
      }),
      // Each reads a file twice.
      { numRuns: Math.min(runs(300), 20_000) },
    );
    // Both kinds were there: one in twenty is warned of.
    expect(Math.min(said.quiet, said.warned)).toBeGreaterThan(0);
  });
});
