/**
 * Where, when, for what and which records at all: what a contract's hours, networks and purposes and a policy's conditions do at the agents' door.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import { problemShape } from "./support/documented.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";

const policy = `resources:
  order:
    subject: id
    fields:
      status: { class: plain }
      amount: { class: plain }
      shop: { class: plain }
      ticket_no: { class: plain }
      phone: { class: phone, search: true }
      name: { class: person_name }
      address: { class: address }
roles:
  first_line:
    order:
      rows: record.status != "closed"
      status: reveal
      amount: reveal
      phone: mask
      name: mask
      address: mask
  senior:
    extends: first_line
    order:
      phone: { reveal: { when: 'record.amount < 1000 && request.purpose == "after_sales"' } }
      name: { reveal: { when: agent.subject == "agent-2", quota: 20/day, reason: required } }
  clerk:
    extends: first_line
    order:
      rows: 'record.ticket_no == request.ticket && record.shop == "hz"'
      address: { reveal: { purposes: [logistics] }, else: withhold }
`;
const ceiling = "{ plain: reveal, person_name: reveal, phone: reveal, address: reveal }";
const seats = "demo,agent-1,first_line,林\ndemo,agent-2,senior,欧\ndemo,agent-3,clerk,赵\ndemo,agent-4,senior,李\n";
const phone = "13800138000";
const orders = [
  {
    id: "O1",
    status: "open",
    amount: 199.5,
    shop: "hz",
    ticket_no: "T1",
    phone,
    name: "欧阳娜娜",
    address: "浙江省杭州市西湖区文三路90号",
  },
  { id: "O2", status: "closed", amount: 10, shop: "hz", ticket_no: "T1", phone, name: "林黛玉" },
  { id: "O3", status: "open", amount: 5000, shop: "sh", ticket_no: "T1", phone, name: "王五" },
  { id: "O4", status: "open", phone, name: "赵六" },
  { id: "O5", amount: 1, phone, name: "钱七" },
  { id: "O6", status: "open", amount: "many", phone, name: "孙八" },
];

const record = z.looseObject({
  fields: z.record(z.string(), z.unknown()),
  masking: z.array(z.looseObject({ path: z.string(), treatment: z.string(), why: z.string() })),
});

let gateway: Gateway;
let locators: string[];
beforeAll(async () => {
  gateway = await createGateway();
  const agreement = {
    policy,
    ceiling,
    seats,
    purposes: "{ after_sales: {}, logistics: {}, change_address: { preset: change_address }, ads: { classes: [] } }",
    roles: "[first_line, senior, clerk]",
  };
  await bringIntoForce(gateway, agreement);
  await importLines(gateway, orders, { type: "order" });
  const rows = await gateway.database.query("select locator from postern.record where contract_id = 'c-test' order by locator");
  expect(rows).toHaveLength(orders.length);
  locators = rows.map(([locator]) => String(locator));
});
afterAll(() => gateway.close());

const headers = (purpose = "after_sales", ticket?: string) => ({
  "postern-purpose": purpose,
  ...(ticket === undefined ? {} : { "postern-ticket": ticket }),
});

async function find(as: string, id: string, sent = headers()) {
  const answer = await gateway.call("POST", "/v1/contracts/c-test/records/order/search", { as, body: { by: { id } }, headers: sent });
  const { records } = z.object({ records: z.array(record) }).parse(await (await expectStatus(Promise.resolve(answer), 200)).json());
  return records[0] ?? null;
}

async function lastEntry(log = "c-test") {
  const text = (await entriesOf({ owner: gateway.database }, log)).at(-1)?.text ?? "";
  return z
    .looseObject({
      outcome: z.unknown(),
      facts: z.record(z.string(), z.unknown()).optional(),
      resource: z.looseObject({ fields: z.unknown() }).optional(),
    })
    .parse(JSON.parse(text));
}

describe("a row rule", () => {
  it("shows what it admits, and nothing of the rest, by whatever name it is asked for", async () => {
    expect((await find("agent-1", "O1"))?.fields).toMatchObject({ status: "open", phone: "138****8000" });
    expect(await find("agent-1", "O2")).toBeNull();
    expect(await lastEntry()).toMatchObject({ outcome: { effect: "allow" }, facts: { rows_not_held: 1, searched_by: "id" } });
    const all = await gateway.call("POST", "/v1/contracts/c-test/records/order/search", {
      as: "agent-1",
      body: { by: { phone } },
      headers: headers(),
    });
    const { records, more } = z.object({ records: z.array(record), more: z.boolean() }).parse(await all.json());
    expect(records.map(({ fields }) => fields.name).sort()).toEqual(["孙**", "欧阳**", "王**", "赵**"].sort());
    expect(more).toBe(false);
    expect(await lastEntry()).toMatchObject({ facts: { rows_not_held: 1, rows_failed: 1 } });
  });

  it("answers for a record that it keeps away what it answers for one that does not exist", async () => {
    const texts: string[] = [];
    for (const locator of [...locators, `r_${"a".repeat(26)}`]) {
      const answer = await gateway.call("GET", `/v1/contracts/c-test/records/order/${locator}`, { as: "agent-1", headers: headers() });
      if (answer.status !== 404) continue;
      texts.push((await answer.text()).replaceAll(answer.headers.get("x-request-id") ?? "", "ID"));
    }
    expect(texts).toHaveLength(3);
    expect(new Set(texts).size).toBe(1);
    const kept = (await entriesOf({ owner: gateway.database })).filter(
      ({ text }) => text.includes('"rows_') && text.includes('"not_found"'),
    );
    expect(kept).toHaveLength(2);
  });

  it("of a role's own stands in the place of the one it extends, and may ask for the ticket in hand", async () => {
    expect(await find("agent-3", "O1", headers("after_sales", "T1"))).not.toBeNull();
    expect(await find("agent-3", "O1", headers("after_sales", "T2"))).toBeNull();
    expect(await find("agent-3", "O1")).toBeNull();
    expect(await find("agent-3", "O3", headers("after_sales", "T1"))).toBeNull();
    expect(await find("agent-3", "O2", headers("after_sales", "T1"))).not.toBeNull();
  });
});

describe("a condition", () => {
  it("that holds gives what stands in it; where it does not, what the extended role has", async () => {
    const cheap = await find("agent-2", "O1");
    expect(cheap?.fields.phone).toBe(phone);
    expect(await lastEntry()).toMatchObject({ facts: { conditions: ["11"] }, resource: { fields: { phone: "reveal" } } });
    const dear = await find("agent-2", "O3");
    expect(dear?.fields.phone).toBe("138****8000");
    expect(dear?.masking.find(({ path }) => path === "phone")?.why).toBe(
      "role senior: phone → mask (policy.yaml:18); the condition in line 24 does not hold",
    );
    expect(await lastEntry()).toMatchObject({ facts: { conditions: ["10"] }, resource: { fields: { phone: "mask" } } });
  });

  it.each(["O4", "O6"])("that cannot be evaluated for %s denies its field alone, and the log says so", async (id) => {
    const found = await find("agent-2", id);
    expect(found?.fields).toMatchObject({ status: "open", phone: "138****8000" });
    expect(found?.masking.find(({ path }) => path === "phone")?.why).toContain("the condition in line 24 could not be evaluated");
    expect(await lastEntry()).toMatchObject({ facts: { conditions: ["1!"], conditions_failed: ["phone"] } });
  });

  it("is asked for each record of a search, and the log names the most that left", async () => {
    const answer = await gateway.call("POST", "/v1/contracts/c-test/records/order/search", {
      as: "agent-2",
      body: { by: { phone } },
      headers: headers(),
    });
    const { records } = z.object({ records: z.array(record) }).parse(await answer.json());
    expect(records.map(({ fields }) => fields.phone).sort()).toEqual(["138****8000", "138****8000", "138****8000", phone]);
    const { facts, resource } = await lastEntry();
    expect([...z.array(z.string()).parse(facts?.conditions)].sort()).toEqual(["1!", "1!", "10", "11"]);
    expect(resource?.fields).toMatchObject({ phone: "reveal", name: "mask" });
  });

  it("of a purpose is one, and an else says what holds for the others", async () => {
    const address = (purpose: string) => find("agent-3", "O1", headers(purpose, "T1")).then((found) => found?.fields.address);
    expect(await address("logistics")).toBe("浙江省杭州市西湖区文三路90号");
    expect(await address("after_sales")).toBeNull();
    expect((await find("agent-2", "O1", headers("logistics")))?.fields.phone).toBe("138****8000");
  });

  it("that a value is asked for one at a time leaves it masked in every read", async () => {
    const found = await find("agent-2", "O1");
    expect(found?.fields.name).toBe("欧阳**");
    expect(found?.masking.find(({ path }) => path === "name")?.why).toBe(
      "role senior: name → reveal, one at a time; masked in a read (policy.yaml:25)",
    );
    expect((await find("agent-4", "O1"))?.masking.find(({ path }) => path === "name")?.why).toContain("(policy.yaml:19)");
  });
});

describe("a purpose that needs less", () => {
  it("withholds every other class of personal data, and no business data", async () => {
    const change = await find("agent-2", "O1", headers("change_address"));
    expect(change?.fields).toMatchObject({ address: "浙江省杭州市西湖区****", phone: null, name: null, status: "open", amount: 199.5 });
    expect(change?.masking.find(({ path }) => path === "phone")?.why).toBe("the purpose change_address does not need it");
    expect((await find("agent-2", "O1", headers("ads")))?.fields).toMatchObject({ address: null, phone: null, name: null, status: "open" });
  });
});

describe("a contract's hours and networks", () => {
  const zone = "Asia/Shanghai";
  const inside = async (contract: string) => {
    const answer = await gateway.call("POST", `/v1/contracts/${contract}/records/order/search`, {
      as: "agent-1",
      body: { by: { id: "O1" } },
    });
    return { status: answer.status, code: answer.status === 200 ? "" : problemShape.parse(await answer.json()).code };
  };
  /** `HH:mm`, so many hours from now where the contract is. */
  const clock = (hours: number) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(Date.now() + hours * 3_600_000);

  it.each([
    ["c-open", `hours: { from: "${clock(-2)}", to: "${clock(2)}" }`, 200, ""],
    ["c-shut", `hours: { from: "${clock(2)}", to: "${clock(-2)}" }`, 403, "outside_hours"],
    ["c-two", `hours: [{ from: "${clock(2)}", to: "${clock(3)}" }, { from: "${clock(-2)}", to: "${clock(2)}" }]`, 200, ""],
    ["c-here", "networks: [203.0.113.0/24, 127.0.0.0/8]", 200, ""],
    ["c-there", "networks: { office: [203.0.113.0/24, '2001:db8::/32'] }", 403, "outside_network"],
  ])("%s: %s", async (contract, more, status, code) => {
    await bringIntoForce(gateway, { contract, policy, ceiling, seats, roles: "[first_line, senior, clerk]", more: `${more}\n` });
    await importLines(gateway, orders, { contract, type: "order" });
    expect(await inside(contract)).toEqual({ status, code });
    if (status === 200) return;
    expect(await lastEntry(contract)).toMatchObject({ outcome: { code, effect: "deny" } });
  });

  it("are asked before anything of a record is looked for", async () => {
    const nothing = await gateway.call("GET", `/v1/contracts/c-shut/records/order/r_${"a".repeat(26)}`, { as: "agent-1" });
    expect(nothing.status).toBe(403);
    expect((await search(gateway, { id: "O1" }, { contract: "c-here", type: "order" })).records).toHaveLength(1);
  });
});
