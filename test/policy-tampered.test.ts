/** A database administrator cannot change what two owners agreed to: a policy is in force by its digest, and only its own text answers to that. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

const phone = "13800138000";
let gateway: Gateway;

beforeAll(async () => {
  gateway = await createGateway();
  for (const contract of ["c-known", "c-loosened"]) {
    await bringIntoForce(gateway, { contract });
    await importLines(gateway, [{ id: "U1", name: "林小满", phone }], { contract });
  }
});
afterAll(() => gateway?.close());

describe("a policy whose stored text is loosened under the digest that was approved", () => {
  it("goes on as agreed where the edge has read it before, and serves nobody where it has not", async () => {
    expect((await search(gateway, { phone }, { contract: "c-known" })).records[0]?.fields.phone).toBe("138****8000");
    const loosened = await gateway.database.query(
      `update postern.bundle set compiled = replace(compiled, '"treatment":"mask"', '"treatment":"reveal"') where compiled like '%"treatment":"mask"%' returning 1`,
    );
    expect(loosened).toHaveLength(2);

    expect((await search(gateway, { phone }, { contract: "c-known" })).records[0]?.fields.phone).toBe("138****8000");
    const answer = await gateway.call("POST", "/v1/contracts/c-loosened/records/customer/search", {
      as: "agent-1",
      body: { by: { phone } },
    });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain(phone);
    expect(String(gateway.faults[0])).toContain("is not the one of its digest");
  });
});
