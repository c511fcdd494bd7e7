/** A customer asks what is held of them, wants it corrected, wants it gone: the agent hands it on, the merchant answers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";

interface Request {
  readonly request: string;
  readonly kind: string;
  readonly state: string;
  readonly received_at: string;
  readonly due_at: string;
  readonly said?: string | null;
}
interface Report {
  readonly subject: string;
  readonly held: readonly { type: string; id: string | null; fields: readonly string[] }[];
  readonly seen: readonly { event: string; actor: { role: string; id: string }; purpose: string | null; effect: string; fields: object }[];
}

const requestsPath = "/v1/contracts/c-test/subject-requests";
const note = "my number is 13912345678 now, not the old one";

let gateway: Gateway;
let [mine, other] = ["", ""];
beforeAll(async () => {
  gateway = await createGateway();
  await bringIntoForce(gateway);
  await importLines(gateway, [
    { id: "U1", name: "欧阳娜娜", phone: "13800138000", addresses: [{ city: "杭州市" }] },
    { id: "U2", name: "林小满", phone: "13900139000" },
  ]);
  await importLines(gateway, [{ id: "O1", customer_id: "U1", buyer_message: "放门口" }], { type: "order" });
  [mine = "", other = ""] = await Promise.all(["U1", "U2"].map(async (id) => (await search(gateway, { id })).records[0]?.locator));
});
afterAll(() => gateway.close());

function handOn(body: object, locator = mine, as = "agent-1"): Promise<Response> {
  return gateway.call("POST", `/v1/contracts/c-test/records/customer/${locator}/requests`, { as, body });
}

async function asOwner<Value>(method: string, path = "", body?: object, status = 200): Promise<Value> {
  const answer = await expectStatus(gateway.call(method, `${requestsPath}${path}`, { as: "owner-1", ...(body && { body }) }), status);
  return (await answer.json()) as Value;
}

async function entriesAbout(request: string): Promise<string[]> {
  await gateway.keeper.sequence();
  const answer = await gateway.call("GET", "/v1/contracts/c-test/audit/entries?limit=200", { as: "officer" });
  const { entries } = (await answer.json()) as { entries: { event: string; code: string; facts?: { subject_request?: string } }[] };
  return entries
    .filter(({ facts }) => facts?.subject_request === request)
    .map(({ event, code }) => `${event} ${code}`)
    .reverse();
}

describe("an agent hands on what the customer asks", () => {
  it("and learns until when the merchant answers, with an entry that is promised; what was said is in no answer and no row in the clear", async () => {
    const answer = await expectStatus(handOn({ kind: "correction", note }), 201);
    const text = await answer.text();
    const { request, received_at, due_at } = JSON.parse(text) as Request;
    expect(answer.headers.get("audit-promise")).toContain("jws=");
    expect(Date.parse(due_at) - Date.parse(received_at)).toBe(15 * 86_400_000);
    expect(text).not.toContain("13912345678");
    const [row = []] = await gateway.database.query(
      "select encode(note, 'escape'), kind from postern.subject_request where request_id = $1",
      [request],
    );
    expect(row[0]).not.toContain("13912345678");
    expect((await asOwner<Request>("GET", `/${request}`)).said).toBe(note);
    expect(await entriesAbout(request)).toEqual(["subject_request.received correction", "subject_request.read ok"]);
  });

  it("only for a record before their eyes, at a contract they sit at, in a form that is known", async () => {
    expect((await handOn({ kind: "access" }, `r_${"a".repeat(26)}`)).status).toBe(404);
    expect((await handOn({ kind: "access" }, mine, "agent-9")).status).toBe(404);
    expect((await handOn({ kind: "access" }, mine, "officer")).status).toBe(403);
    expect((await handOn({ kind: "portability" })).status).toBe(422);
    expect((await handOn({ kind: "access", note: "" })).status).toBe(422);
    expect((await handOn({ kind: "access", note: "字".repeat(2_001) })).status).toBe(422);
  });

  it("and nothing is kept where the log takes no entry", async () => {
    const broken = await createGateway({
      edge: { audit: () => ({ append: () => Promise.reject(new Error("no log")) }) as never },
    });
    await bringIntoForce(broken);
    await importLines(broken, [{ id: "U1", name: "欧阳娜娜" }]);
    const [row = []] = await broken.database.query("select locator from postern.record");
    const answer = await broken.call("POST", `/v1/contracts/c-test/records/customer/${row[0]}/requests`, {
      as: "agent-1",
      body: { kind: "access" },
    });
    expect(answer.status).toBe(500);
    expect(await broken.database.query("select count(*)::int from postern.subject_request")).toEqual([[0]]);
    await broken.close();
  });
});

describe("the merchant answers", () => {
  it("access: what is held by its names, and everybody who looked, by pseudonym and purpose", async () => {
    const { request } = await asOwner<Request>("POST", "", { kind: "access", type: "customer", id: "U1" }, 201);
    await expectStatus(gateway.call("GET", `/v1/contracts/c-test/records/customer/${mine}`, { as: "agent-2" }), 200);
    await expectStatus(gateway.call("GET", `/v1/contracts/c-test/records/customer/${other}`, { as: "agent-2" }), 200);
    await gateway.keeper.sequence();
    const answer = await expectStatus(gateway.call("GET", `${requestsPath}/${request}/report`, { as: "owner-2" }), 200);
    const text = await answer.text();
    const { held, seen, subject } = JSON.parse(text) as Report;
    expect(subject).toMatch(/^s_[a-z2-7]{26}$/);
    expect(held).toMatchObject([
      { type: "customer", id: "U1", fields: expect.arrayContaining(["name", "phone"]) },
      { type: "order", id: "O1", fields: expect.arrayContaining(["buyer_message"]) },
    ]);
    expect(text).not.toMatch(/欧阳|13800138000|放门口/);
    const reads = seen.filter(({ event }) => event === "record.read");
    expect(reads).toMatchObject([
      { actor: { role: "agent", id: expect.stringMatching(/^a_/) }, purpose: "after_sales", fields: { name: "mask" } },
    ]);
    expect(seen.filter(({ event }) => event === "record.searched")).toHaveLength(1);
    expect(await entriesAbout(request)).toEqual(["subject_request.received access", "subject_request.read reported"]);
  });

  it("closes each once, and no erasure while something is held", async () => {
    const { request } = (await (await expectStatus(handOn({ kind: "erasure" }, other), 201)).json()) as Request;
    const close = (outcome: string, status: number) => asOwner<Request>("POST", `/${request}/close`, { outcome }, status);
    expect(await close("done", 409)).toMatchObject({ code: "wrong_state", errors: [{ code: "still_held" }] });
    await gateway.database.query("delete from postern.record where subject = $1", [other]);
    expect(await close("done", 200)).toMatchObject({ state: "done", closed_at: expect.stringMatching(/Z$/) });
    expect((await close("done", 200)).state).toBe("done");
    expect(await close("refused", 409)).toMatchObject({ errors: [{ code: "closed" }] });
    const { requests } = await asOwner<{ requests: Request[] }>("GET");
    expect(requests.at(-1)).toMatchObject({ request, state: "done" });
  });

  it("says what is overdue", async () => {
    const { request } = await asOwner<Request>("POST", "", { kind: "access", type: "customer", id: "U1" }, 201);
    await gateway.database.query("update postern.subject_request set due_at = now() - interval '1 second' where request_id = $1", [
      request,
    ]);
    expect((await asOwner<{ requests: Request[] }>("GET")).requests[0]).toMatchObject({ request, state: "overdue" });
  });

  it("its own customers' requests only, and no officer, agent or stranger reads them", async () => {
    await asOwner("POST", "", { kind: "access", type: "customer", id: "nobody" }, 404);
    await asOwner("GET", "/0198c1f0-0000-7000-8000-000000000000", undefined, 404);
    for (const [as, status] of [
      ["officer", 403],
      ["agent-1", 403],
      ["owner-b1", 404],
    ] as const)
      expect((await gateway.call("GET", requestsPath, { as })).status).toBe(status);
  });

  it("nothing of a person whose key is gone: the request stands, what was said does not open", async () => {
    const { request } = (await (await expectStatus(handOn({ kind: "correction", note }), 201)).json()) as Request;
    await gateway.database.query("delete from postern.record where subject = $1", [mine]);
    await gateway.database.query("delete from postern.subject_key where subject = $1", [mine]);
    expect((await asOwner<Request>("GET", `/${request}`)).said).toBeNull();
    expect((await asOwner<Report>("GET", `/${request}/report`)).held).toEqual([]);
  });
});
