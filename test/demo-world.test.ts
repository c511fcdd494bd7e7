import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { demoHighlights, generateWorld } from "../src/demo/index.ts";
import { isJsonObject, parseJson } from "../src/kernel/index.ts";
import { compile, parseContract, parsePolicy, sortFields } from "../src/policy/index.ts";

const world = generateWorld({ today: "2026-11-22" });

interface Party {
  readonly name: string;
  readonly address: unknown;
}
interface CustomerLine extends Party {
  readonly id: string;
  readonly phone: string;
  readonly email: string | null;
  readonly id_card: string | null;
  readonly note: string | null;
  readonly payment_token?: string;
}
interface OrderLine {
  readonly id: string;
  readonly order_no: string;
  readonly customer_id: string;
  readonly amount: number;
  readonly items: readonly { readonly price: number; readonly quantity: number }[];
  readonly receiver: Party & { readonly mobile: string };
  readonly buyer_message: string | null;
  readonly seller_memo: string | null;
}

function parse<Line>(text: string): Line[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

const customersOf = (id: string) => parse<CustomerLine>(world.contracts.find((contract) => contract.id === id)?.records.customer ?? "");
const customers = world.contracts.flatMap((contract) => parse<CustomerLine>(contract.records.customer));
const orders = world.contracts.flatMap((contract) => parse<OrderLine>(contract.records.order));
const names = [...customers.map(({ name }) => name), ...orders.map(({ receiver }) => receiver.name)].join("\n");
const phones = [...customers.map(({ phone }) => phone), ...orders.map(({ receiver }) => receiver.mobile)];
const freeText = [...customers.map(({ note }) => note), ...orders.flatMap((order) => [order.buyer_message, order.seller_memo])].filter(
  (text) => text !== null,
);

describe("the demo's world", () => {
  it("is the same to the byte for the same day, and holds the same people on another", () => {
    expect(generateWorld({ today: "2026-11-22" })).toEqual(world);
    const digest = createHash("sha256").update(JSON.stringify(world)).digest("hex");
    expect(
      createHash("sha256")
        .update(JSON.stringify(generateWorld({ today: "2026-11-22" })))
        .digest("hex"),
    ).toBe(digest);
    const later = generateWorld({ today: "2028-02-29" });
    const people = (text: string) => parse<CustomerLine>(text).map(({ id, name, phone }) => [id, name, phone]);
    expect(later).not.toEqual(world);
    expect(later.contracts.map(({ records }) => people(records.customer))).toEqual(
      world.contracts.map(({ records }) => people(records.customer)),
    );
  });

  it.each(["", "today", "2026-02-30", "2026-2-3", "2026-11-22T00:00:00Z"])("does not begin on %j", (today) => {
    expect(() => generateWorld({ today })).toThrow(RangeError);
  });

  it("has two merchants with two owners each, two vendors, and three contracts between them", () => {
    expect(world.merchants.map(({ id, owners, officers }) => [id, owners, officers])).toEqual([
      ["m-linxi", ["owner-1", "owner-2"], ["officer"]],
      ["m-beichen", ["owner-b1", "owner-b2"], ["officer-b"]],
    ]);
    expect(world.vendors.map(({ id }) => id)).toEqual(["v-yunfu", "v-haitong"]);
    expect(world.operators).toEqual(["operator"]);
    expect(world.contracts.map(({ id, merchant, vendor }) => [id, merchant, vendor])).toEqual([
      ["c-hangzhou-cs", "m-linxi", "v-yunfu"],
      ["c-shenzhen-cs", "m-beichen", "v-haitong"],
      ["c-suzhou-peak", "m-linxi", "v-haitong"],
    ]);
  });

  it("has contract files that our own parser takes, in force on the day", () => {
    for (const { id, merchant, vendor, contract } of world.contracts) {
      const parsed = parseContract(contract, `${id}.yaml`);
      if (!parsed.ok) expect.fail(JSON.stringify(parsed.refusal));
      const { term, ...rest } = parsed.value;
      expect(rest).toMatchObject({
        id,
        merchant,
        vendor,
        policy: "cs-standard",
        roles: ["first_line", "senior"],
        purge: { coolingHours: 0 },
      });
      expect(term.start < "2026-11-22" && "2026-11-22" < term.end && term.purgeAfterHours >= 7 * 24).toBe(true);
      expect(Object.keys(rest.purposes)).toEqual(id === "c-hangzhou-cs" ? ["after_sales"] : ["after_sales", "logistics"]);
    }
  });

  it("seats twenty agents of two roles, one of them in two contracts under one name", () => {
    const seats = world.contracts.flatMap(({ id, seats: text }) => {
      const [header, ...rows] = text.trimEnd().split("\n");
      expect(header).toBe("issuer,subject,role,name");
      return rows.map((row) => [id, ...row.split(",")]);
    });
    expect(seats).toHaveLength(21);
    expect(new Set(seats.map(([, issuer, , role]) => `${issuer} ${role}`))).toEqual(new Set(["demo first_line", "demo senior"]));
    expect(new Set(seats.map(([, , subject]) => subject))).toEqual(new Set(Array.from({ length: 20 }, (_, i) => `agent-${i + 1}`)));
    const twice = seats.filter(([, , subject]) => subject === "agent-1");
    expect(twice.map(([contract]) => contract)).toEqual(["c-hangzhou-cs", "c-suzhou-peak"]);
    expect(new Set(twice.map(([, , , , name]) => name)).size).toBe(1);
  });

  it("has 200 customers, ten of them from elsewhere, and 600 orders of theirs within the same contract", () => {
    expect([customers.length, orders.length]).toEqual([200, 600]);
    expect(new Set(customers.map(({ id }) => id)).size).toBe(200);
    expect(new Set(orders.map(({ id }) => id)).size).toBe(600);
    expect(new Set(orders.map(({ order_no }) => order_no)).size).toBe(600);
    expect(customers.filter(({ address }) => typeof address === "object")).toHaveLength(10);
    for (const { records } of world.contracts) {
      const ids = new Set(parse<CustomerLine>(records.customer).map(({ id }) => id));
      for (const order of parse<OrderLine>(records.order)) expect(ids.has(order.customer_id), order.id).toBe(true);
    }
  });

  it("holds what breaks careless code", () => {
    for (const part of ["𠮷", "㛃", "欧阳", "司马", "·", "'", "ë", "ليلى"]) expect(names.includes(part), part).toBe(true);
    const forms = [
      /^1\d{10}$/,
      /^0\d{2,3}[- ]\d{7,8}$/,
      /^1\d{10}-\d{4}$/,
      /^\+86/,
      /^0086/,
      /^\(\+86\)/,
      /^[０-９]{11}$/,
      /^\d{3} \d{4} \d{4}$/,
      /^\+44/,
    ];
    for (const form of forms)
      expect(
        phones.some((phone) => form.test(phone)),
        String(form),
      ).toBe(true);
    expect(freeText.filter((text) => /\d{7,}|\d{3}[- ]\d{4}[- ]\d{4}/.test(text)).length).toBeGreaterThan(50);
    expect(customers.filter(({ payment_token }) => payment_token !== undefined).length).toBeGreaterThan(10);
    for (const text of [names, ...freeText]) expect(text.isWellFormed()).toBe(true);
  });

  it("reaches nobody: no mobile number is in an allotted range, no mail host exists, no resident id is of a county", () => {
    const mobiles = [...phones.filter((phone) => !/^\+(?!86)/.test(phone)), ...freeText].flatMap(
      (text) =>
        text
          .normalize("NFKC")
          .replace(/[ -]/g, "")
          .match(/1[3-9]\d{9}/g) ?? [],
    );
    expect(mobiles.length).toBeGreaterThan(500);
    for (const digits of mobiles) if (digits !== "13800138000") expect(digits).toMatch(/^(142|143|154)/);
    for (const { email } of customers) if (email !== null) expect(email).toMatch(/@(example\.(com|net|org)|mail\.example)$/);
    const cards = customers.map(({ id_card }) => id_card).filter((card) => card !== null);
    expect(cards.length).toBeGreaterThan(70);
    for (const card of cards) {
      expect(card).toMatch(/^\d{4}99(19|20)\d{9}[\dX]$/);
      const sum = [...card].reduce((total, digit, i) => total + (digit === "X" ? 10 : Number(digit)) * (2 ** (17 - i) % 11), 0);
      expect(sum % 11, card).toBe(1);
    }
  });

  it("has its fields named by the shipped policy, but for the two that must stay out", () => {
    const policy = parsePolicy(readFileSync("policies/cs-standard.yaml", "utf8"), "cs-standard.yaml");
    if (!policy.ok) expect.fail(JSON.stringify(policy.refusal));
    for (const { id, contract, records } of world.contracts) {
      const parsed = parseContract(contract, `${id}.yaml`);
      if (!parsed.ok) expect.fail(JSON.stringify(parsed.refusal));
      const bundle = compile(policy.value, parsed.value);
      if (!bundle.ok) expect.fail(JSON.stringify(bundle.refusal));
      for (const [type, text] of Object.entries(records)) {
        const resource = bundle.value.resources[type];
        if (!resource) expect.fail(`the policy has no ${type}`);
        const unnamed = new Set<string>();
        for (const line of text.trimEnd().split("\n")) {
          const document = parseJson(line);
          if (!isJsonObject(document)) expect.fail("a line is no object");
          const sorted = sortFields(resource, document);
          if (type === "order") expect(sorted.subjectReference).toBe(document.customer_id);
          for (const path of sorted.unnamed) unnamed.add(path);
        }
        for (const path of ["payment_token", "device_id"]) expect(unnamed.delete(path), `${id} ${type} ${path}`).toBe(true);
        unnamed.delete("id");
        unnamed.delete("customer_id");
        expect([...unnamed], `${id} ${type}`).toEqual([]);
      }
    }
  });

  it("asks for what was bought", () => {
    for (const { id, amount, items } of orders) {
      expect(Math.round(items.reduce((sum, { price, quantity }) => sum + price * quantity, 0) * 100), id).toBe(Math.round(amount * 100));
    }
  });

  it("names in its commands a customer and an order that are there, and one that is another contract's", () => {
    const { contract, customer, phone, order, otherContract, otherCustomer, endedContract, endedCustomer } = demoHighlights;
    expect(customersOf(contract)[0]).toMatchObject({ id: customer, phone: phone.replaceAll(" ", "") });
    expect(customers.filter((line) => line.phone === phone.replaceAll(" ", ""))).toHaveLength(1);
    expect(orders.find(({ id }) => id === order)?.customer_id).toBe(customer);
    expect(customersOf(otherContract)[0]?.id).toBe(otherCustomer);
    expect(customersOf(endedContract)[0]?.id).toBe(endedCustomer);
  });
});
