/** The door that agents come through: what it refuses, and how, and that it does nothing that it does not document. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { type Ask, documentedAsk, problemShape, readDocument } from "./support/documented.ts";
import { type CallOptions, createGateway, type Gateway } from "./support/gateway.ts";

const customer = { id: "U1", name: "欧阳娜娜", phone: "13800138000" };
const nowhere = `r_${"a".repeat(26)}`;

let gateway: Gateway;
let locator: string;
let foreign: string;
let ask: Ask;
beforeAll(async () => {
  gateway = await createGateway();
  await bringIntoForce(gateway);
  await bringIntoForce(gateway, {
    contract: "c-other",
    merchant: "m-beichen",
    owners: ["owner-b1", "owner-b2"],
    seats: "demo,agent-9,senior,赵六\n",
  });
  for (const contract of ["c-ended", "c-later", "c-two"]) {
    await bringIntoForce(gateway, { contract, ...(contract === "c-two" ? { purposes: "{ after_sales: {}, logistics: {} }" } : {}) });
    await importLines(gateway, [customer], { contract });
  }
  await gateway.database.query("update postern.contract set ends_at = now() - interval '1 day' where contract_id = 'c-ended'");
  await gateway.database.query("update postern.contract set starts_at = now() + interval '1 day' where contract_id = 'c-later'");
  await importLines(gateway, [customer]);
  await importLines(gateway, [customer], { contract: "c-other", owner: "owner-b1" });
  locator = (await search(gateway, { id: "U1" })).records[0]?.locator ?? "";
  foreign = (await search(gateway, { id: "U1" }, { contract: "c-other", agent: "agent-9" })).records[0]?.locator ?? "";
  ask = documentedAsk(gateway, await readDocument(gateway));
});
afterAll(() => gateway.close());

function read(contract: string, name: string, options: CallOptions = {}, type = "customer") {
  return ask("GET", `/v1/contracts/${contract}/records/${type}/${name}`, options);
}

function find(body: unknown, options: CallOptions = {}, contract = "c-test") {
  return ask("POST", `/v1/contracts/${contract}/records/customer/search`, { body, ...options });
}

describe("what is outside an agent's contracts", () => {
  it("answers the same bytes as what does not exist, but for the request id", async () => {
    const outside = [
      await read("c-other", foreign),
      await read("c-other", nowhere),
      await read("c-nowhere", foreign),
      await read("c-test", foreign),
      await read("c-test", nowhere),
      await read("c-test", nowhere, {}, "unheard_of"),
      await read("c-test", locator, {}, "order"),
      await find({ by: { id: "U1" } }, {}, "c-other"),
      await find({ by: { id: "U1" } }, {}, "c-nowhere"),
    ];
    const texts = await Promise.all(
      outside.map(async ({ answer }) => {
        const id = answer.headers.get("x-request-id") ?? "";
        const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).sort();
        return [String(answer.status), ...headers, await answer.text()].join("\n").replaceAll(id, "ID");
      }),
    );
    expect([...new Set(texts)]).toHaveLength(1);
    expect(outside[0]).toMatchObject({ status: 404, code: "not_found" });
    expect(await read("c-test", locator)).toMatchObject({ status: 200 });
  });

  it("finds nobody else's customer by what finds one's own", async () => {
    await importLines(gateway, [{ id: "U7", name: "王五", phone: "13700137000" }], { contract: "c-other", owner: "owner-b1" });
    for (const by of [{ phone: "13700137000" }, { id: "U7" }]) expect((await search(gateway, by)).records).toEqual([]);
  });
});

describe("what is inside and refused", () => {
  it.each([
    ["an ended contract", () => read("c-ended", locator), 403, "contract_ended"],
    ["a contract that has not begun", () => read("c-later", locator), 403, "contract_not_active"],
    ["no purpose where there are two", () => read("c-two", locator), 422, "purpose_required"],
    [
      "a purpose that the contract does not know",
      () => read("c-two", locator, { headers: { "postern-purpose": "ads" } }),
      422,
      "purpose_unknown",
    ],
    ["such a purpose where there is one", () => read("c-test", locator, { headers: { "postern-purpose": "ads" } }), 422, "purpose_unknown"],
    ["a purpose that is no word", () => read("c-test", locator, { headers: { "postern-purpose": "after sales" } }), 400, "bad_header"],
    ["a ticket of 129 characters", () => read("c-test", locator, { headers: { "postern-ticket": "x".repeat(129) } }), 400, "bad_header"],
    ["a search by a field that is not searchable", () => find({ by: { name: "欧阳娜娜" } }), 403, "not_permitted"],
    ["a search by a field that is not there", () => find({ by: { nonsense: "x" } }), 403, "not_permitted"],
    [
      "a search by __proto__",
      () => find('{"by":{"__proto__":"x"}}', { headers: { "content-type": "application/json" } }),
      422,
      "unacceptable",
    ],
    ["a search by two fields", () => find({ by: { phone: "1", email: "x" } }), 422, "unacceptable"],
    ["a search by none", () => find({ by: {} }), 422, "unacceptable"],
    ["a search by a number", () => find({ by: { phone: 13800138000 } }), 422, "unacceptable"],
    ["a search by nothing that is left", () => find({ by: { phone: " - " } }), 422, "unacceptable"],
    ["an unknown body key", () => find({ by: { phone: "13800138000" }, limit: 1000 }), 422, "unacceptable"],
    ["an array", () => find([{ by: { phone: "1" } }]), 422, "unacceptable"],
  ] as const)("%s", async (_, refused, status, code) => {
    expect(await refused()).toMatchObject({ status, code });
  });

  it("named purposes of the contract are served", async () => {
    const { records } = await search(gateway, { id: "U1" });
    expect(records).toHaveLength(1);
    expect(await find({ by: { id: "U1" } }, { headers: { "postern-purpose": "logistics" } }, "c-two")).toMatchObject({ status: 200 });
  });
});

describe("what cannot be parsed", () => {
  const json = { "content-type": "application/json" };

  it.each([
    ["%00", "bad_id"],
    ["r_%00".padEnd(30, "a"), "bad_id"],
    ["１２３４５", "bad_id"],
    ["x".repeat(4_096), "bad_id"],
    ["..%2fcustomer", "bad_id"],
    ["%2e%2e%2f", "bad_id"],
    ["U1", "bad_id"],
    [nowhere.toUpperCase(), "bad_id"],
    [`${nowhere};x=1`, "bad_id"],
    [`${nowhere}%20`, "bad_id"],
    ["'%20or%201=1--", "bad_id"],
  ])("the locator %s", async (name, code) => {
    expect(await read("c-test", name)).toMatchObject({ status: 400, code });
    expect(await read(name, nowhere)).toMatchObject({
      status: name === "U1" || name === nowhere.toUpperCase() || name === "x" ? 404 : 400,
    });
  });

  it.each(["?x=1", "?tenant=M1&tenant=M2", "?tenant[]=M2", "?purpose=after_sales", "?_method=DELETE"])("the query %s", async (query) => {
    expect(await read("c-test", `${nowhere}${query}`)).toMatchObject({ status: 400, code: "bad_query" });
    expect(await ask("GET", `/v1/me${query}`)).toMatchObject({ status: 400, code: "bad_query" });
    expect(await ask("GET", `/healthz${query}`)).toMatchObject({ status: 400, code: "bad_query" });
  });

  it.each([
    ["{", "body:1"],
    ["", "body:0"],
    ['{"by":{"phone":"1"}', "body:19"],
    ['{"by":{"phone":"1","phone":"2"}}', "body:"],
    ['{"by":{"phone":"1"}} x', "body:"],
    ['{"by":{"phone":NaN}}', "body:"],
    ["\ufeff{}", "body:0"],
    [`${"[".repeat(3_000)}`, "body:"],
  ])("the body %j, and says where", async (body, pointer) => {
    const { status, code, answer } = await find(body, { headers: json });
    expect([status, code]).toEqual([400, "bad_json"]);
    const { errors } = problemShape.parse(await answer.json());
    expect(errors?.[0]?.pointer.startsWith(pointer), errors?.[0]?.pointer).toBe(true);
    expect(errors?.[0]?.pointer).toMatch(/^body:\d+$/);
  });

  it("a body that is not UTF-8, not JSON, compressed, or over its limit", async () => {
    const path = "/v1/contracts/c-test/records/customer/search";
    const post = async (body: BodyInit, headers: Record<string, string>) => {
      const authorization = `Bearer ${await gateway.token("agent-1")}`;
      const answer = await gateway.app.request(path, { method: "POST", body, headers: { authorization, ...headers } });
      return [answer.status, problemShape.parse(await answer.json()).code];
    };
    const good = '{"by":{"phone":"13800138000"}}';
    expect(await post(new Uint8Array([0x7b, 0xff, 0x7d]), json)).toEqual([400, "bad_json"]);
    for (const media of [
      "text/plain",
      "application/xml",
      "application/json; charset=gbk",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
    ])
      expect(await post(good, { "content-type": media })).toEqual([415, "wrong_media_type"]);
    expect(await post(good, { ...json, "content-encoding": "gzip" })).toEqual([415, "wrong_media_type"]);
    expect(await post(`{"by":{"phone":"${"1".repeat(5_000)}"}}`, json)).toEqual([413, "too_large"]);
    expect(await post(" ".repeat(5_000), json)).toEqual([413, "too_large"]);
    expect(await post(`{"by":{"phone":"${"1".repeat(600)}"}}`, json)).toEqual([422, "unacceptable"]);
  });
});
