/** Every cell of the authorization matrix, by requests that would do something if they were let in. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Admitted, matrix } from "../src/offices/matrix.ts";
import { bringIntoForce, search } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { ask } from "./support/ladder.ts";
import { type Cell, cellsOf, contractOf, opens } from "./support/matrix-cells.ts";
import { askOf, type Things } from "./support/matrix-requests.ts";
import { entriesOf, neighbour, populate, purge } from "./support/purge-world.ts";

let gateway: Gateway;
let things: Things;

beforeAll(async () => {
  const adminOf = (subject: string) => ({ issuers: ["demo"], admins: [{ issuer: "demo", subject }] });
  const vendors = { "v-yunfu": adminOf("admin-1"), "v-qinghe": adminOf("admin-7"), "v-haitong": adminOf("admin-9") };
  gateway = await createGateway({ common: { vendors } });
  for (const contract of [contractOf.own, contractOf.ended, contractOf.purged])
    await populate(gateway, { contract, seats: "demo,agent-1,first_line,林小满\n" }, 1);
  await bringIntoForce(gateway, {
    ...{ contract: "c-sibling", vendor: "v-qinghe", seats: "demo,agent-7,first_line,林小满\n" },
    more: "approvals: { terminate: other_organisation }\n",
  });
  await bringIntoForce(gateway, { ...neighbour, vendor: "v-haitong", seats: "demo,agent-9,first_line,林小满\n" });
  const job = await purge(gateway, contractOf.purged);
  await gateway.database.query("update postern.contract set ends_at = now() - interval '1 hour' where contract_id = $1", [
    contractOf.ended,
  ]);
  const found = await search(gateway, { id: "U0" });
  const approval = await ask(gateway, "terminate", { confirm: contractOf.own, at: "now", reason: "mutual" });
  await gateway.keeper.tick();
  await gateway.keeper.sequence();
  const listed = await gateway.call("GET", "/v1/contracts/c-test/audit/entries?limit=50", { as: "officer" });
  const { entries } = (await listed.json()) as { entries: { id: string; actor: { role: string } }[] };
  things = {
    locator: found.records[0]?.locator ?? "",
    approval,
    entry: entries.find(({ actor }) => actor.role === "agent")?.id ?? "",
    job,
  };
});
afterAll(() => gateway.close());

interface Answered {
  readonly cell: Cell;
  readonly told: string;
  readonly request: string;
}

async function answerOf(cell: Cell): Promise<Answered> {
  const answer = await askOf(gateway, cell, things);
  if (answer.ok) await answer.body?.cancel();
  // Refusals of SCIM have no code.
  const code = answer.ok ? "" : ` ${((await answer.json()) as { code?: string }).code ?? "scim"}`;
  return { cell, told: `${answer.status}${code}`, request: answer.headers.get("x-request-id") ?? "" };
}

const closed = cellsOf(matrix).filter(({ expected }) => expected !== "open");
const open = cellsOf(matrix).flatMap((cell) => (cell.expected === "open" && opens(cell) !== null ? [cell] : []));
const nameOf = ({ route, standing, who }: Cell) => `${route}, ${standing}: ${who}`;

/** What was answered otherwise than these cells say. */
async function wrong(cells: readonly Cell[]): Promise<string[]> {
  const answered = await Promise.all(cells.map(answerOf));
  return answered.flatMap(({ cell, told }) => {
    const expected = cell.expected === "open" ? opens(cell) : cell.expected;
    return told === expected ? [] : [`${nameOf(cell)}: ${told}, not ${expected}`];
  });
}

describe("the authorization matrix", () => {
  it("has a row for every route that is served, and no other but the demo's", async () => {
    const answer = await gateway.call("GET", "/openapi.json");
    const { paths } = (await answer.json()) as { paths: Record<string, object> };
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(Object.keys(matrix).sort()).toEqual([...served, "POST /v1/demo/tamper"].sort());
  });

  it("keeps powers apart: officers see no data, operators neither data nor a contract's log, vendors' admins their people's seats, agents what agents do", () => {
    const admitted = (who: Admitted) => Object.keys(matrix).filter((route) => matrix[route]?.includes(who));
    expect(admitted("officer").filter((route) => /records|return|subject-requests|erasures|purges/.test(route))).toEqual([]);
    expect(admitted("officer").filter((route) => !route.startsWith("GET "))).toEqual([
      "POST /v1/contracts/{contract}/break-glass/{glass}/review",
      "POST /v1/contracts/{contract}/audit/subjects",
    ]);
    expect(admitted("operator").filter((route) => /contract|log/.test(route))).toEqual(["POST /log/{log}/epochs"]);
    expect(admitted("merchant_owner").filter((route) => /records|entries|audit/.test(route))).toEqual([
      "POST /v1/contracts/{contract}/records/{type}/import",
      "GET /v1/contracts/{contract}/audit/retention",
    ]);
    expect(admitted("vendor_admin").filter((route) => !/\/\{contract\}\/(agents|role-grants)/.test(route))).toEqual(["GET /v1/me"]);
    expect(admitted("vendor_admin_asked").filter((route) => !route.includes("approv"))).toEqual([]);
    expect(admitted("agent").filter((route) => !/\/(records|upstream)\//.test(route))).toEqual([
      "GET /v1/me",
      "GET /log/{log}/receipt/{entry}",
    ]);
  });

  it("is kept where it closes: each cell with its status and code, and its entry in the log of what was refused at a door", async () => {
    expect(closed.length).toBeGreaterThan(1_000);
    const answered = await Promise.all(closed.map(answerOf));
    expect(
      answered.flatMap(({ cell, told }) => (told === cell.expected ? [] : [`${nameOf(cell)}: ${told}, not ${cell.expected}`])),
    ).toEqual([]);

    // "Not found" could be said of a thing behind the door, too. What was refused at the door says so in its entry.
    const refused = (await entriesOf(gateway.database, "gateway")).flatMap((entry) =>
      entry.event === "request.refused" || entry.event.startsWith("record") ? [(entry as { request?: { id: string } }).request?.id] : [],
    );
    const known = new Set(refused);
    const unlogged = answered.filter(({ cell, request }) => cell.as !== null && cell.route !== "GET /metrics" && !known.has(request));
    expect(unlogged.map(({ cell }) => nameOf(cell))).toEqual([]);
  });

  it("is kept where it opens: each cell reaches its use case", async () => {
    expect(open.length).toBeGreaterThan(200);
    expect(await wrong(open)).toEqual([]);
  });

  it("is caught where the gateway and a row differ by one cell", async () => {
    const route = "GET /v1/contracts/{contract}/keys";
    const cells = cellsOf({ [route]: ["merchant_owner", "officer"] }).filter(({ standing }) => standing === "own");
    expect(await wrong(cells)).toEqual([`${route}, own: own officer: 403 not_permitted, not 200`]);
  });
});
