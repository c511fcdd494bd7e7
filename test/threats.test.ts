/** The attacks that the project was given, by their numbers: on who may what, each of them; and by way of a merchant's API. Tried here, or where it is said. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { type CallOptions, createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf, neighbour } from "./support/purge-world.ts";
import { root } from "./support/repository.ts";
import { hasShared, readShared } from "./support/shared.ts";

/** Case → file → what its test is called. */
const elsewhere: Readonly<Record<string, readonly [file: string, title: string]>> = {
  "JWT-01": ["routes", "need a token, and say the same whether the record is there"],
  "JWT-03": ["identity", "none is none, however it is spelled"],
  "JWT-05": ["identity", "takes no shared secret: not a common one, and not the issuer's public key"],
  "JWT-07": ["identity", "must name its key, and bring none"],
  "JWT-09": ["identity-keys", "is fetched at most once per cooldown, however many unknown keys are named"],
  "JWT-11": ["issuers", "cannot have its ID, refresh or logout tokens taken for one"],
  "JWT-13": ["identity-claims", "name the issuer to the letter"],
  "JWT-15": ["identity-claims", "end, in whole seconds, at most an hour after they were issued"],
  "JWT-17": ["identity-claims", "name a holder and a token, in visible text of bounded length"],
  "JWT-19": ["identity", "says nothing about roles, whatever it claims"],
  "JWT-21": ["routes", "one good token is an answer; two headers, or a second in one, are 400 and say nothing"],
  "JWT-23": ["worker", "is refused within five seconds by it, by the edge and by two gateways on Node, whatever is asked meanwhile"],
  "JWT-25": ["identity", "of 200 kB is refused at once"],
  "JWT-27": ["identity-vectors", "%s: none of the %i is an access token"],
  "AUTHZ-03": ["matrix", "the authorization matrix"],
  "AUTHZ-27": ["service-keys", "opens nothing beside it"],
  "AUTHZ-09": ["routes", "are those of the document, no other, each with its methods"],
  "PROXY-01": ["connectors", "may not lead to %s"],
  "PROXY-03": ["upstream", "goes nothing where a name leads into a network that is not public, whatever it led to before"],
  "PROXY-05": ["upstream", "goes nothing to %s"],
  "PROXY-09": ["upstream-platforms", "that %s has none of it go up, or come back"],
  "PROXY-11": ["upstream", "goes nothing of the client's: the gateway's credential, to that host, and no other header"],
  "PROXY-13": ["upstream-answers", "an upstream that says nothing, drips or never ends is late, and let go"],
  "PROXY-15": ["upstream-answers", "none of the upstream's headers comes along, and an answer that is packed is read"],
  "PROXY-17": ["upstream", "goes nothing to %s"],
};

const records = "/v1/contracts/c-test/records/customer";
const number = "2188082354079975123";

let gateway: Gateway;
let locator: string;
let theirs: string;
beforeAll(async () => {
  const vendors = { "v-yunfu": { issuers: ["demo"], admins: [{ issuer: "demo", subject: "admin" }] } };
  gateway = await createGateway({ common: { vendors } });
  await bringIntoForce(gateway);
  await importLines(gateway, [
    { id: "U1", name: "欧阳娜娜", registered_at: "2024-01-02" },
    { id: number, name: "林黛玉" },
  ]);
  await bringIntoForce(gateway, { contract: "c-sibling", vendor: "v-qinghe", seats: "demo,agent-7,first_line,林小满\n" });
  await bringIntoForce(gateway, { ...neighbour, seats: "demo,agent-9,first_line,林小满\n" });
  await importLines(gateway, [{ id: "V1", name: "薛宝钗" }], { contract: neighbour.contract, owner: neighbour.owners[0] });
  locator = (await search(gateway, { id: "U1" })).records[0]?.locator ?? "";
  const foreign = await gateway.database.query("select locator from postern.record where contract_id = $1", [neighbour.contract]);
  theirs = String(foreign[0]?.[0]);
});
afterAll(() => gateway.close());

async function told(method: string, path: string, options: CallOptions): Promise<string> {
  const answer = await gateway.call(method, path, options);
  const { code } = (await answer.json()) as { code?: string };
  return `${answer.status} ${code ?? ""}`;
}

const tried = {
  "AUTHZ-01: another merchant's record is answered as one that is not there, byte by byte": async () => {
    const nowhere = `r_${"a".repeat(26)}`;
    const answers = [`/v1/contracts/${neighbour.contract}/records/customer/${theirs}`, `${records}/${theirs}`, `${records}/${nowhere}`];
    const bodies = await Promise.all(
      answers.map(async (path) => {
        const answer = await gateway.call("GET", path, { as: "agent-1" });
        const text = (await answer.text()).replace(answer.headers.get("x-request-id") ?? "", "ID");
        return [answer.status, text, [...answer.headers].filter(([name]) => name !== "x-request-id")];
      }),
    );
    expect(bodies[0]).toEqual(bodies[2]);
    expect(bodies[1]).toEqual(bodies[2]);
    expect(bodies[2]?.[0]).toBe(404);
  },
  "AUTHZ-05: a tenant in the query is refused": async () => {
    for (const query of ["tenant=M1&tenant=M2", "tenant[]=M2", "tenant=M1,M2", "tenant=M1%00M2", "contract=c-other"])
      expect(await told("GET", `${records}/${locator}?${query}`, { as: "agent-1" })).toBe("400 bad_query");
  },
  "AUTHZ-07: nobody gives themselves a role": async () => {
    const role = { role: "security_officer", tenant_id: "M2", mask_profile: "none" };
    expect((await gateway.call("PATCH", "/v1/me", { as: "agent-1", body: role })).status).toBe(405);
    expect(await told("POST", `${records}/search`, { as: "agent-1", body: { by: { id: "U1" }, ...role } })).toBe("422 unacceptable");
    const seat = "issuer,subject,role,name\ndemo,agent-1,senior,x\n";
    const csv = { body: seat, headers: { "content-type": "text/csv" } };
    expect(await told("POST", "/v1/contracts/c-test/agents", { as: "agent-1", ...csv })).toBe("403 not_permitted");
  },
  "AUTHZ-11: a name next to a record's is no record, and who tries many of them is told of": async () => {
    const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    const next = (at: number, step: number) => alphabet[(alphabet.indexOf(locator.at(at) ?? "") + step) % 32] ?? "";
    for (const step of Array.from({ length: 25 }, (_, i) => i + 1))
      for (const near of [locator.slice(0, -1) + next(-1, step), locator.slice(0, -2) + next(-2, step) + locator.slice(-1)])
        expect((await gateway.call("GET", `${records}/${near}`, { as: "agent-2" })).status).toBe(404);
    const told = (await entriesOf(gateway.database, "c-test")).filter(({ event }) => event === "seat.guessing");
    expect(told).toMatchObject([{ actor: { role: "agent" }, facts: { misses: 50 } }]);
  },
  "AUTHZ-13: a number of nineteen digits is that number, as text, and none beside it": async () => {
    const found = async (text: string) => {
      const headers = { "content-type": "application/json" };
      const answer = await gateway.call("POST", `${records}/search`, { as: "agent-1", headers, body: `{"by":{"id":${text}}}` });
      return answer.status === 200 ? ((await answer.json()) as { records: unknown[] }).records.length : answer.status;
    };
    expect(await found(`"${number}"`)).toBe(1);
    expect(await found('"2188082354079975200"')).toBe(0);
    for (const text of [number, "2.188e18", "2188082354079975200"]) expect(await found(text)).toBe(422);
  },
  "AUTHZ-15: a vendor's admin reads no log, neither of another vendor at the same merchant nor of its own": async () => {
    expect(await told("GET", "/v1/contracts/c-sibling/audit/entries", { as: "admin" })).toBe("404 not_found");
    expect(await told("GET", "/v1/contracts/c-sibling/agents", { as: "admin" })).toBe("404 not_found");
    expect(await told("GET", "/v1/contracts/c-test/audit/entries", { as: "admin" })).toBe("403 not_permitted");
    expect((await gateway.call("GET", "/v1/contracts/c-test/agents", { as: "admin" })).status).toBe(200);
  },
  "AUTHZ-17: an officer sees no customer": async () => {
    expect(await told("GET", `${records}/${locator}`, { as: "officer" })).toBe("403 not_permitted");
    expect(await told("POST", `${records}/search`, { as: "officer", body: { by: { id: "U1" } } })).toBe("403 not_permitted");
  },
  "AUTHZ-19: an officer changes nothing of the log": async () => {
    for (const method of ["DELETE", "PUT", "PATCH", "POST"]) {
      expect((await gateway.call(method, "/v1/contracts/c-test/audit/entries", { as: "officer", body: {} })).status).toBe(405);
      expect((await gateway.call(method, "/v1/contracts/c-test/audit/retention", { as: "officer", body: {} })).status).toBe(405);
    }
    expect(await told("POST", "/log/c-test/epochs", { as: "officer", body: { dry_run: true } })).toBe("403 not_permitted");
  },
  "AUTHZ-21: an owner ends no other merchant's contract, not even by naming it inside": async () => {
    const count = () => gateway.database.query("select count(*)::int from postern.record where contract_id = $1", [neighbour.contract]);
    const purges = `/v1/contracts/${neighbour.contract}/purges`;
    expect(await told("POST", purges, { as: "owner-1", body: { confirm: neighbour.contract } })).toBe("404 not_found");
    const nested = { confirm: "c-test", contract: neighbour.contract, contractId: neighbour.contract };
    expect(await told("POST", "/v1/contracts/c-test/purges", { as: "owner-1", body: nested })).toBe("422 unacceptable");
    expect((await count())[0]?.[0]).toBe(1);
  },
  "AUTHZ-23: whose role is lowered between two requests has the lower one in the second": async () => {
    const shown = async () => {
      const answer = await gateway.call("GET", `${records}/${locator}`, { as: "agent-2" });
      return ((await answer.json()) as { fields: { registered_at: unknown } }).fields.registered_at;
    };
    const seated = async (role: string) => {
      const body = `issuer,subject,role,name\ndemo,agent-2,${role},欧阳明\n`;
      const call = { as: "owner-1", body, headers: { "content-type": "text/csv" } };
      expect((await gateway.call("POST", "/v1/contracts/c-test/agents", call)).status).toBe(200);
    };
    await seated("senior");
    const before = await shown();
    await seated("first_line");
    expect([before, await shown()]).toEqual(["2024-01-02", null]);
  },
  "AUTHZ-25: a thousand reads in one body are none": async () => {
    const one = { by: { id: "U1" } };
    expect(await told("POST", `${records}/search`, { as: "agent-1", body: Array.from({ length: 1_000 }, () => one) })).toMatch(
      /^4(13|22) /,
    );
    const many = { by: { id: Array.from({ length: 1_001 }, () => "U1") } };
    expect(await told("POST", `${records}/search`, { as: "agent-1", body: many })).toMatch(/^4(13|22) /);
  },
} as const;

describe("attacks on who may what", () => {
  it.each(Object.entries(tried))("%s", (_name, attempt) => attempt());

  it("are those that the project was given, none left out", () => {
    for (const [file, title] of Object.values(elsewhere))
      expect([file, title, readFileSync(join(root, `test/${file}.test.ts`), "utf8").includes(`"${title}"`)]).toEqual([file, title, true]);
    const here = Object.keys(tried).map((name) => name.split(":")[0]);
    const known = new Set([...here, ...Object.keys(elsewhere)]);
    const given = hasShared("THREATS.md") ? [...readShared("THREATS.md").matchAll(/^\| ((?:JWT|AUTHZ)-\d+) \|/gm)] : [];
    expect(given.map(([, id]) => id).filter((id) => !known.has(id))).toEqual([]);
  });
});
