import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

const customer = {
  id: "U1",
  name: "欧阳娜娜",
  phone: "138 0013 8000",
  email: "nana@example.com",
  address: "浙江省杭州市西湖区文三路90号",
  id_card: "330106199001011234",
  note: "call 13800138000",
  vip: true,
  device_id: "d-1",
};

describe("an agent asks for a customer record", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await createGateway();
    await bringIntoForce(gateway);
    await importLines(gateway, [customer, { id: "U2", name: "Al", phone: "+44 20 7946 0958" }]);
  });
  afterAll(() => gateway.close());

  it("finds it by the phone that the caller says, in any spelling, masked", async () => {
    for (const phone of ["13800138000", "138-0013-8000", "+86 138 0013 8000", "１３８００１３８０００", "一三八零零一三八零零零"]) {
      const { records } = await search(gateway, { phone });
      expect(records.map((record) => record.fields.phone)).toEqual(["138****8000"]);
    }
  });

  it("reads it masked, with the reasons and a promise", async () => {
    const [found] = (await search(gateway, { id: "U1" })).records;
    const answer = await expectStatus(
      gateway.call("GET", `/v1/contracts/c-test/records/customer/${found?.locator}`, { as: "agent-1" }),
      200,
    );
    expect(answer.headers.get("audit-promise")).toMatch(/^jws="[\w.-]+", id="[0-9a-f-]{36}", i=0, path=::$/);
    const record = (await answer.json()) as { fields: Record<string, unknown>; masking: { path: string; why: string }[] };
    expect(record.fields).toMatchObject({ name: "欧阳**", phone: "138****8000", id_card: null, note: null, vip: true });
    expect(record.masking.find((note) => note.path === "phone")?.why).toBe("role first_line: phone → mask");
    expect(JSON.stringify(record)).not.toContain("d-1");
  });
});
