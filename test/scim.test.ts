/** A vendor's own directory, by SCIM 2.0: who comes, who goes, and who sits where, from the next request on and with an entry for each change. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, contractText, expectStatus, importLines, search, shippedPolicy } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/purge-world.ts";
import { type Ask, directoryOf, issueToken, patch, person, urn } from "./support/scim.ts";

let gateway: Gateway;
let ask: Ask;
let path: string;
const group = "/Groups/c-test~first_line";
const senior = "/Groups/c-test~senior";

beforeAll(async () => {
  gateway = await createGateway({
    common: { vendors: { "v-yunfu": { issuers: ["demo"], admins: [] }, "v-qinghe": { issuers: ["demo"], admins: [] } } },
  });
  await bringIntoForce(gateway);
  await bringIntoForce(gateway, { contract: "c-sibling", vendor: "v-qinghe", seats: "demo,agent-7,first_line,林小满\n" });
  await importLines(gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  path = `/v1/contracts/c-test/records/customer/${(await search(gateway, { id: "U1" })).records[0]?.locator}`;
  ask = directoryOf(gateway, (await issueToken(gateway)).token);
});
afterAll(() => gateway.close());

const read = async (as: string) => (await gateway.call("GET", path, { as })).status;
const create = async (externalId: string, more: object = {}) => {
  const created = await ask("POST", "/Users", person(externalId, more));
  expect(created.status).toBe(201);
  return String(created.body.id);
};
const members = (...ids: string[]) => ids.map((value) => ({ value }));
const join = (id: string, at = group) => ask("PATCH", at, patch({ op: "add", path: "members", value: members(id) }));
const idsOf = async (at = group) => ((await ask("GET", at)).body.members as { value: string }[]).map(({ value }) => value);
const contractEntries = async (event: string) => (await entriesOf(gateway.database, "c-test")).filter((entry) => entry.event === event);

describe("a person of the vendor's directory", () => {
  it("sits nowhere by being there, sits where their group is, and not when they leave it", async () => {
    const id = await create("p-1");
    expect(await read("p-1")).toBe(404);
    expect((await join(id)).status).toBe(200);
    expect(await read("p-1")).toBe(200);
    expect((await ask("GET", `/Users/${id}`)).body.groups).toMatchObject([{ value: "c-test~first_line", display: "c-test/first_line" }]);
    expect((await ask("PATCH", group, patch({ op: "remove", path: `members[value eq "${id}"]` }))).status).toBe(200);
    expect(await read("p-1")).toBe(404);
    const entries = await contractEntries("seats.provisioned");
    expect(entries.at(-1)).toMatchObject({
      actor: { role: "scim" },
      facts: { role: "first_line", added: [], removed: [expect.any(String)] },
    });
  });

  it("is refused at the next request once inactive, whoever seated them, and is let in again", async () => {
    const id = await create("agent-2");
    expect(await read("agent-2")).toBe(200);
    const token = await gateway.token("agent-2");
    const open = async () => (await gateway.call("GET", path, { headers: { authorization: `Bearer ${token}` } })).status;
    expect((await ask("PATCH", `/Users/${id}`, patch({ op: "Replace", path: "active", value: "False" }))).body.active).toBe(false);
    expect(await open()).toBe(404);
    const me = (await (await gateway.call("GET", "/v1/me", { as: "agent-2" })).json()) as { contracts: unknown[] };
    expect(me.contracts).toEqual([]);
    expect((await ask("PATCH", `/Users/${id}`, patch({ op: "replace", value: { active: true } }))).body.active).toBe(true);
    expect(await open()).toBe(200);
    expect((await contractEntries("seat.revoked")).at(-1)).toMatchObject({ actor: { role: "scim" }, facts: { reason: "directory" } });
    expect((await contractEntries("seat.restored")).length).toBeGreaterThan(0);
  });

  it("is not let in by a PUT that does not speak of it, nor by a new seat", async () => {
    const id = await create("p-2", { active: false });
    expect((await ask("PUT", `/Users/${id}`, person("p-2"))).body.active).toBe(false);
    await join(id);
    expect(await read("p-2")).toBe(404);
    const csv = { as: "owner-1", body: "issuer,subject,role,name\ndemo,p-2,first_line,P\n", headers: { "content-type": "text/csv" } };
    await expectStatus(gateway.call("POST", "/v1/contracts/c-test/agents", csv), 200);
    expect(await read("p-2")).toBe(404);
  });

  it("whose seat the merchant took away does not get it back by leaving and coming", async () => {
    const id = await create("p-3");
    await join(id);
    const body = { issuer: "demo", subject: "p-3" };
    await expectStatus(
      gateway.call("POST", "/v1/contracts/c-test/agents/revoke", { as: "owner-1", body: { ...body, reason: "incident" } }),
      200,
    );
    await ask("PATCH", group, patch({ op: "remove", path: "members", value: members(id) }));
    await join(id);
    await ask("PATCH", `/Users/${id}`, patch({ op: "replace", path: "active", value: false }));
    await ask("PATCH", `/Users/${id}`, patch({ op: "replace", path: "active", value: true }));
    expect(await read("p-3")).toBe(404);
    await expectStatus(gateway.call("POST", "/v1/contracts/c-test/agents/restore", { as: "owner-1", body }), 200);
    expect(await read("p-3")).toBe(200);
  });

  it("leaves each seat when they are deleted, and is not found again", async () => {
    const id = await create("p-4");
    await join(id);
    expect((await ask("DELETE", `/Users/${id}`)).status).toBe(204);
    expect(await read("p-4")).toBe(404);
    expect((await ask("GET", `/Users/${id}`)).status).toBe(404);
    await create("p-4");
    expect(await read("p-4")).toBe(404);
  });

  it("leaves of what Entra ID sends no more than a seat keeps", async () => {
    const id = await create("p-5", {
      emails: [{ type: "work", value: "secret@yunfu.example" }],
      phoneNumbers: [{ value: "13900139000" }],
      [urn.enterprise]: { department: "secret-department", manager: { value: "secret-manager" } },
    });
    const changed = await ask(
      "PATCH",
      `/Users/${id}`,
      patch(
        { op: "Add", path: 'emails[type eq "work"].value', value: "secret@yunfu.example" },
        { op: "Replace", value: { displayName: "New Name", "name.givenName": "secret-given", [`${urn.enterprise}:department`]: "secret" } },
        { op: "Remove", path: "title" },
      ),
    );
    expect([changed.status, changed.body.displayName]).toEqual([200, "New Name"]);
    const rows = await gateway.database.query("select row_to_json(u)::text from postern.scim_user u");
    expect(JSON.stringify(rows)).not.toMatch(/secret|13900139000/);
  });

  it.each([
    ["twice", { externalId: "p-6" }, 409, "uniqueness"],
    ["in another case", { externalId: "P-6" }, 409, "uniqueness"],
    ["with a login that looks the same", { externalId: "other", userName: "р-6@yunfu.example" }, 409, "uniqueness"],
    ["in letters of two alphabets", { externalId: "pаypal" }, 400, "invalidValue"],
    ["as a formula", { externalId: "=1+1" }, 400, "invalidValue"],
    ["without what makes them one", { externalId: null }, 400, "invalidValue"],
    ["with a name that a spreadsheet runs", { externalId: "p-7", displayName: "=cmd" }, 400, "invalidValue"],
    ["neither active nor not", { externalId: "p-7", active: "perhaps" }, 400, "invalidValue"],
  ])("does not come %s", async (_, more, status, scimType) => {
    await ask("POST", "/Users", person("p-6"));
    const refused = await ask("POST", "/Users", person("p-7", more));
    expect([refused.status, refused.body.scimType]).toEqual([status, scimType]);
    expect(refused.headers.get("content-type")).toBe("application/scim+json");
  });

  it("does not become somebody else", async () => {
    const id = await create("p-8");
    const refused = await ask("PATCH", `/Users/${id}`, patch({ op: "replace", path: "externalId", value: "agent-1" }));
    expect([refused.status, refused.body.scimType]).toEqual([400, "mutability"]);
  });

  it("is changed only in the version that was seen", async () => {
    const id = await create("p-9");
    const seen = (await ask("GET", `/Users/${id}`)).headers.get("etag") ?? "";
    const rename = (displayName: string, etag: string) =>
      ask("PATCH", `/Users/${id}`, patch({ op: "replace", path: "displayName", value: displayName }), { "if-match": etag });
    expect((await rename("One", seen)).status).toBe(200);
    expect((await rename("Two", seen)).status).toBe(412);
    expect((await ask("DELETE", `/Users/${id}`, undefined, { "if-match": seen })).status).toBe(412);
  });
});

describe("the list of people", () => {
  it("is found by userName in any case, by externalId exactly, and in pages", async () => {
    const id = await create("Found-1");
    const total = async (filter: string) => (await ask("GET", `/Users?filter=${encodeURIComponent(filter)}`)).body;
    expect(await total('userName eq "FOUND-1@yunfu.example"')).toMatchObject({ totalResults: 1, Resources: [{ id }] });
    expect(await total('externalId eq "Found-1"')).toMatchObject({ totalResults: 1 });
    expect(await total('externalId eq "found-1"')).toMatchObject({ totalResults: 0, Resources: [] });
    const page = await ask("GET", "/Users?startIndex=2&count=1&attributes=userName");
    expect(page.body).toMatchObject({ startIndex: 2, itemsPerPage: 1 });
    expect(Object.keys(page.body.Resources[0]).sort()).toEqual(["id", "schemas", "userName"]);
    expect((await ask("GET", "/Users?count=0")).body.Resources).toEqual([]);
  });

  it("refuses what it does not understand by name", async () => {
    for (const filter of ['userName co "a"', 'title eq "x"', 'userName eq "a" or active eq true', "userName eq", "active eq true"]) {
      const refused = await ask("GET", `/Users?filter=${encodeURIComponent(filter)}`);
      expect([refused.status, refused.body.scimType]).toEqual([400, "invalidFilter"]);
    }
  });
});

describe("a group", () => {
  it("is a role at a contract in force, found by its name, with its members left out where they are not asked for", async () => {
    const found = await ask("GET", `/Groups?filter=${encodeURIComponent('displayName eq "c-test/senior"')}&excludedAttributes=members`);
    expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id: "c-test~senior", displayName: "c-test/senior" }] });
    expect(found.body.Resources[0]).not.toHaveProperty("members");
    const all = (await ask("GET", "/Groups")).body.Resources as { displayName: string }[];
    expect(all.map(({ displayName }) => displayName).sort()).toEqual(["c-test/first_line", "c-test/senior"]);
    const taken = await ask("POST", "/Groups", { schemas: [urn.group], displayName: "c-test/senior" });
    expect([taken.status, taken.body.id, taken.headers.get("location")]).toEqual([201, "c-test~senior", taken.body.meta.location]);
    expect((await ask("POST", "/Groups", { schemas: [urn.group], displayName: "admins" })).body.scimType).toBe("invalidValue");
  });

  it("takes members in every form that directories send", async () => {
    const [a, b] = [await create("g-1"), await create("g-2")];
    const change = async (...operations: object[]) => expect((await ask("PATCH", senior, patch(...operations))).status).toBe(200);
    await change({ op: "Add", value: { members: members(a) } });
    await change({ op: "add", path: "members", value: members(b) });
    expect((await idsOf(senior)).sort()).toEqual([a, b].sort());
    await change({ op: "Remove", path: "members", value: members(a) });
    expect(await idsOf(senior)).toEqual([b]);
    await change({ op: "replace", path: "members", value: members(a) });
    expect(await idsOf(senior)).toEqual([a]);
    await change({ op: "Replace", value: { displayName: "c-test/senior", externalId: "x" } });
    await change({ op: "remove", path: "members" });
    expect(await idsOf(senior)).toEqual([]);
    const put = { schemas: [urn.group], displayName: "c-test/senior", members: members(a, b) };
    expect((await ask("PUT", senior, put)).body.members).toHaveLength(2);
    expect((await ask("DELETE", senior)).status).toBe(204);
    expect([await read("g-1"), await read("g-2")]).toEqual([404, 404]);
  });

  it("seats nobody in a second role, no owner, and nobody unknown; nothing is half done", async () => {
    const [a, b, owner] = [await create("g-3"), await create("g-4"), await create("owner-1")];
    await join(a);
    const told = async (...ids: string[]) => {
      const refused = await ask("PATCH", senior, patch({ op: "add", path: "members", value: members(...ids) }));
      return [refused.status, refused.body.scimType];
    };
    const before = (await contractEntries("seats.provisioned")).length;
    expect(await told(b, a)).toEqual([409, "uniqueness"]);
    expect(await told(b, owner)).toEqual([400, "invalidValue"]);
    expect(await told(b, "nobody")).toEqual([400, "invalidValue"]);
    expect(await read("g-4")).toBe(404);
    expect(await read("g-3")).toBe(200);
    // Nobody was seated, so the contract's log says nothing of it.
    expect((await contractEntries("seats.provisioned")).length).toBe(before);
  });

  it("seats somebody once where two groups are filled with them at the same moment", async () => {
    const id = await create("g-6");
    const joined = await Promise.all([join(id), join(id, senior), join(id), join(id, senior)]);
    const roles = ((await ask("GET", `/Users/${id}`)).body.groups as { display: string }[]).map(({ display }) => display);
    expect(roles).toHaveLength(1);
    const won = roles[0] === "c-test/first_line" ? [200, 409, 200, 409] : [409, 200, 409, 200];
    expect(joined.map(({ status }) => status)).toEqual(won);
  });

  it.each([
    ["a remove of nothing named", { op: "remove" }, "noTarget"],
    ["a path that does not close", { op: "add", path: "members[", value: [] }, "invalidPath"],
    ["what a group does not have", { op: "add", path: "nickname", value: "x" }, "invalidPath"],
    ["another name", { op: "replace", path: "displayName", value: "other" }, "mutability"],
    ["members by another attribute", { op: "remove", path: 'members[display eq "x"]' }, "invalidFilter"],
    ["a change of nobody", { op: "replace", path: 'members[value eq "x"]', value: {} }, "noTarget"],
    ["an add of nothing", { op: "add", path: "members" }, "invalidValue"],
    ["an operation that is none", { op: "move", path: "members" }, "invalidSyntax"],
    ["too many at once", { op: "add", path: "members", value: members(...Array.from({ length: 1_001 }, (_, n) => `m-${n}`)) }, "tooMany"],
  ])("refuses %s", async (_, operation, scimType) => {
    expect((await ask("PATCH", group, patch(operation))).body).toMatchObject({ status: "400", scimType });
  });

  it("is changed only in the version that was seen", async () => {
    const id = await create("g-5");
    const seen = (await ask("GET", group)).headers.get("etag") ?? "";
    await join(id);
    expect((await ask("PUT", group, { schemas: [urn.group], members: [] }, { "if-match": seen })).status).toBe(412);
    expect(await idsOf()).toContain(id);
  });

  it("seats nobody where the merchant's contract allows no seat of that role; whoever sits there may still be taken out", async () => {
    const [sits, comes] = [await create("g-7"), await create("g-8")];
    expect((await join(sits, senior)).status).toBe(200);
    const text = contractText({ more: "seats: { roles: [first_line] }\n" });
    const body = { contract: { name: "c.yaml", text }, policy: { name: "p.yaml", text: shippedPolicy("cs-standard") } };
    await expectStatus(gateway.call("PUT", "/v1/contracts/c-test/policy", { as: "owner-1", body }), 200);
    const before = (await contractEntries("seats.provisioned")).length;
    const put = { schemas: [urn.group], members: members(sits, comes) };
    for (const refused of [
      await join(comes, senior),
      await ask("PUT", senior, put),
      await ask("POST", "/Groups", { ...put, displayName: "c-test/senior" }),
    ])
      expect(refused.body).toMatchObject({
        schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
        status: "400",
        scimType: "invalidValue",
        detail: expect.stringContaining("role"),
      });
    expect((await contractEntries("seats.provisioned")).length).toBe(before);
    expect((await ask("PUT", senior, { ...put, members: [] })).status).toBe(200);
    expect((await join(comes)).status).toBe(200);
  });
});
