/** One seat, one person: who uses one from several places at once, or tries names with it, is seen, in whatever process; whoever does not pays nothing for it. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogHandles } from "../src/audit/index.ts";
import { randomBytes } from "../src/crypto/index.ts";
import { createMissWatch, forgetSeatMisses } from "../src/disclosure/postgres-misses.ts";
import { forgetSeatUses } from "../src/disclosure/postgres-uses.ts";
import { createSeatWatch } from "../src/disclosure/postgres-watch.ts";
import { type SeatUse, sharingOf } from "../src/disclosure/sharing.ts";
import type { ContractId } from "../src/kernel/index.ts";
import { bringIntoForce, expectStatus, importLines, problemOf, search } from "./support/agreement.ts";
import { audience, createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";
import { createSmith, type Smith } from "./support/tokens.ts";

let gateway: Gateway;
let smith: Smith;
let ahead = 0;
const aMinuteMs = 61_000;
const agents = Array.from({ length: 9 }, (_, i) => `demo,agent-${i},first_line,林\n`).join("");
beforeAll(async () => {
  smith = await createSmith();
  gateway = await createGateway({
    issuers: [smith.profile],
    common: { now: () => Date.now() + ahead },
    from: { addressOf: (c) => c.req.header("x-address"), countryOf: (c) => c.req.header("x-country") },
  });
  await bringIntoForce(gateway, { contract: "c-noted", seats: agents });
  await bringIntoForce(gateway, { contract: "c-refused", seats: agents, more: "seats: { sharing: refuse }\n" });
});
afterAll(() => gateway.close());

const [here, neighbour, there, elsewhere] = ["198.51.100.7", "198.51.100.8", "203.0.113.9", "2001:db8:7::9"];
const session = (subject: string) => gateway.token(subject);

function ask(token: string, address: string | null, { contract = "c-noted", country = "" } = {}): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(address !== null && { "x-address": address }),
    ...(country !== "" && { "x-country": country }),
  };
  return gateway.call("POST", `/v1/contracts/${contract}/records/customer/search`, { headers, body: { by: { id: "U1" } } });
}

async function told(contract: string) {
  const entries = (await entriesOf({ owner: gateway.database }, contract)).map(({ entry }) => entry);
  return entries.filter(({ event }) => event === "seat.shared");
}

async function usesOf(subject: string): Promise<number> {
  const rows = await gateway.database.query("select from postern.seat_use where subject = $1 and not noted", [subject]);
  return rows.length;
}

describe("a seat that is used from several places at once", () => {
  it("is noted once, not with each request, and answered where the contract says no more", async () => {
    const [one, other] = [await session("agent-1"), await session("agent-1")];
    for (const [token, address] of [
      [one, here],
      [other, there],
    ] as const)
      await expectStatus(ask(token, address), 200);
    expect(await told("c-noted")).toEqual([]);
    // Many at once: one of them tells the log.
    await Promise.all(Array.from({ length: 8 }, () => expectStatus(ask(one, here), 200)));
    for (let i = 0; i < 3; i++)
      for (const [token, address] of [
        [one, here],
        [other, there],
      ] as const)
        await expectStatus(ask(token, address), 200);
    expect(await told("c-noted")).toMatchObject([
      { actor: { role: "agent" }, outcome: { effect: "allow", code: "noted" }, facts: { networks: 2, countries: 0, one_token: 0 } },
    ]);
    ahead += aMinuteMs;
    await expectStatus(ask(one, here), 200);
    expect(await told("c-noted")).toHaveLength(1);
  });

  it("is noted at once where one token comes from two networks", async () => {
    const token = await session("agent-2");
    await expectStatus(ask(token, here), 200);
    await expectStatus(ask(token, elsewhere), 200);
    expect((await told("c-noted")).at(-1)).toMatchObject({ facts: { networks: 2, one_token: 1 } });
  });

  it("is noted at once where it comes from two countries", async () => {
    await expectStatus(ask(await session("agent-3"), here, { country: "CN" }), 200);
    await expectStatus(ask(await session("agent-3"), there, { country: "NL" }), 200);
    expect((await told("c-noted")).at(-1)).toMatchObject({ facts: { networks: 2, countries: 2, one_token: 0 } });
  });

  it("is refused where the contract says so, from either place, and works again once one has been silent", async () => {
    const contract = "c-refused";
    const [one, other] = [await session("agent-1"), await session("agent-1")];
    await expectStatus(ask(one, here, { contract }), 200);
    await expectStatus(ask(other, there, { contract }), 200);
    expect((await problemOf(ask(one, here, { contract }), 403)).code).toBe("seat_shared");
    expect((await problemOf(ask(other, there, { contract }), 403)).code).toBe("seat_shared");
    expect(await told(contract)).toMatchObject([{ outcome: { effect: "deny", code: "seat_shared" } }]);
    await gateway.database.query("update postern.seat_use set seen_at = seen_at - interval '301 seconds' where contract_id = $1", [
      contract,
    ]);
    ahead += aMinuteMs;
    await expectStatus(ask(one, here, { contract }), 200);
  });

  it("is its holder's again where the contract asks for that, once they logged in anew; old tokens stay out", async () => {
    const contract = "c-stepped";
    const seats = "linxi,agent-1,first_line,林\n";
    await bringIntoForce(gateway, { contract, seats, more: "seats: { sharing: step_up }\n" });
    const seconds = Math.floor((Date.now() + ahead) / 1_000);
    const usual = { sub: "agent-1", aud: audience, iat: seconds - 10, exp: seconds + 900 };
    const tokenOf = (more: object) => smith.token({ ...usual, jti: crypto.randomUUID(), ...more });
    // A login is judged by the database's clock.
    const today = Math.floor(Date.now() / 1_000);
    const [old, silent] = [await tokenOf({ auth_time: today - 301 }), await tokenOf({})];
    await expectStatus(ask(old, here, { contract }), 200);
    await expectStatus(ask(silent, there, { contract }), 200);
    for (const [token, address] of [
      [old, here],
      [silent, there],
      [await tokenOf({ auth_time: today + 3_600 }), there],
    ] as const) {
      const refused = await ask(token, address, { contract });
      expect(refused.headers.get("www-authenticate")).toContain('error="insufficient_user_authentication", max_age="300"');
      expect((await problemOf(Promise.resolve(refused), 401)).code).toBe("step_up_required");
    }
    expect(await told(contract)).toMatchObject([{ outcome: { effect: "deny", code: "step_up_required" } }]);
    await expectStatus(ask(await tokenOf({ auth_time: today - 5 }), here, { contract }), 200);
  });
});

describe("a seat that is used from one place at a time", () => {
  it("is asked about once a minute, whatever it reads, and its neighbours' addresses are its own", async () => {
    const [one, other] = [await session("agent-4"), await session("agent-4")];
    for (let i = 0; i < 5; i++) await expectStatus(ask(one, here), 200);
    expect(await usesOf("agent-4")).toBe(1);
    const before = (await told("c-noted")).length;
    await expectStatus(ask(other, neighbour), 200);
    await expectStatus(ask(one, here), 200);
    ahead += aMinuteMs;
    await expectStatus(ask(one, here), 200);
    expect(await told("c-noted")).toHaveLength(before);
  });

  it("may move to another network once", async () => {
    const before = (await told("c-noted")).length;
    await expectStatus(ask(await session("agent-5"), here), 200);
    const moved = await session("agent-5");
    for (let i = 0; i < 3; i++) await expectStatus(ask(moved, there), 200);
    expect(await told("c-noted")).toHaveLength(before);
  });

  it("leaves no address behind, and nothing after ten minutes", async () => {
    const rows = JSON.stringify(await gateway.database.query("select network, token, country from postern.seat_use"));
    expect(rows).not.toMatch(/198\.51|203\.0|2001:db8/);
    await gateway.database.query("update postern.seat_use set seen_at = seen_at - interval '11 minutes'");
    await forgetSeatUses(gateway.database);
    expect(await gateway.database.query("select from postern.seat_use")).toEqual([]);
  });

  it("is not watched where nobody knows from where it comes, nor is somebody without a seat", async () => {
    await expectStatus(ask(await session("agent-6"), null), 200);
    expect((await ask(await session("stranger"), here)).status).toBe(404);
    expect(await gateway.database.query("select from postern.seat_use")).toEqual([]);
  });
});

describe("two processes", () => {
  it("see each other's uses, and of one that is revoked none", async () => {
    const pseudonymKey = randomBytes(32);
    const logs = { gateway: async () => ({ log: "gateway", base: "g", pseudonymKey }) } as unknown as LogHandles;
    const watchIn = () => createSeatWatch({ database: gateway.database, logs, memory: new Map(), now: () => Date.now() + ahead });
    const [one, other] = [watchIn(), watchIn()];
    const contract = "c-noted" as ContractId;
    const come = (tokenId: string, address: string) => ({
      ...{ contract, address, country: undefined },
      who: { issuer: "demo", subject: "agent-7", tokenId, keyId: "k", expiresAt: 0 },
    });
    expect(await one.look(come("t1", here))).toBeNull();
    expect(await other.look(come("t2", there))).toBeNull();
    ahead += aMinuteMs;
    expect(await one.look(come("t1", here))).toEqual({ networks: 2, countries: 0, oneToken: false });
    expect([one.takeNews(come("t1", here)), one.look(come("t1", here))]).toEqual([true, { networks: 2, countries: 0, oneToken: false }]);
    await one.noted(come("t1", here));
    ahead += aMinuteMs;
    for (const [watch, seen] of [
      [one, come("t1", here)],
      [other, come("t2", there)],
    ] as const)
      expect(await watch.look(seen)).not.toBeNull();
    expect([one.takeNews(come("t1", here)), other.takeNews(come("t2", there))]).toEqual([false, false]);

    const uses = await usesOf("agent-7");
    const body = { kind: "person", issuer: "demo", subject: "agent-7", reason: "incident" };
    await expectStatus(gateway.call("POST", "/v1/revocations", { as: "operator", body }), 201);
    await watchIn().look(come("t3", elsewhere));
    expect(await usesOf("agent-7")).toBe(uses);
  });
});

describe("a seat that asks for what is not there", () => {
  const contract = "c-noted" as ContractId;
  const guess = (subject: string, i: number) =>
    i % 2 === 0
      ? gateway.call("GET", `/v1/contracts/${contract}/records/customer/r_${String.fromCharCode(97 + (i % 26)).repeat(26)}`, {
          as: subject,
        })
      : gateway.call("POST", `/v1/contracts/${contract}/records/customer/search`, {
          as: subject,
          body: { by: { phone: `138001380${i}` } },
        });
  const guesses = async (subject: string, count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => guess(subject, i)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404, 200]));
  };
  const alarms = async () =>
    (await entriesOf({ owner: gateway.database }, contract)).map(({ entry }) => entry).filter(({ event }) => event === "seat.guessing");
  const rowsOf = (subject: string) => gateway.database.query("select from postern.seat_miss where subject = $1", [subject]);

  it("is told of once where that is fifty times in minutes, whether it reads or searches, and an officer sees it", async () => {
    await guesses("agent-8", 49);
    expect(await alarms()).toEqual([]);
    for (let i = 0; i < 31; i++) await guess("agent-8", i);
    expect(await alarms()).toMatchObject([
      { actor: { role: "agent" }, outcome: { effect: "allow", code: "noted" }, facts: { contract, misses: 50, seconds: 300 } },
    ]);
    await gateway.keeper.sequence();
    const listed = await expectStatus(gateway.call("GET", `/v1/contracts/${contract}/audit/entries?limit=100`, { as: "officer" }), 200);
    expect(await listed.text()).toContain("seat.guessing");
  });

  it("costs what is found nothing, and who finds nothing now and then is not counted", async () => {
    await importLines(gateway, [{ id: "U1", name: "林小满" }], { contract });
    for (let i = 0; i < 12; i++) await search(gateway, { id: "U1" }, { contract, agent: "agent-0" });
    await guesses("agent-0", 9);
    ahead += 301_000;
    await guesses("agent-0", 9);
    expect(await rowsOf("agent-0")).toEqual([]);
  });

  it("is added up over all processes, which all know that the log was told; it is somebody with a seat", async () => {
    const watchIn = () => createMissWatch({ database: gateway.database, memory: new Map(), now: Date.now });
    const [one, other] = [watchIn(), watchIn()];
    const asker = { contract, who: { issuer: "demo", subject: "agent-6" } };
    const miss = async (watch: typeof one, count: number, of = asker) => {
      const told: (number | null)[] = [];
      for (let i = 0; i < count; i++) told.push(await watch.miss(of));
      return told.filter((misses) => misses !== null);
    };
    expect([await miss(one, 20), await miss(other, 29), await miss(one, 9)]).toEqual([[], [], []]);
    expect(await miss(other, 1)).toEqual([50]);
    await other.noted(asker);
    expect([await miss(one, 20), await miss(watchIn(), 20)]).toEqual([[], []]);
    expect(await miss(one, 60, { contract, who: { issuer: "demo", subject: "stranger" } })).toEqual([]);
    await gateway.database.query("update postern.seat_miss set seen_at = seen_at - interval '301 seconds'");
    expect(await miss(watchIn(), 60, asker)).toEqual([50]);
    await gateway.database.query("update postern.seat_miss set seen_at = seen_at - interval '11 minutes'");
    await forgetSeatMisses(gateway.database);
    expect(await gateway.database.query("select from postern.seat_miss")).toEqual([]);
  });
});

describe("the judge of uses", () => {
  const at = (network: string, minute: number): SeatUse => ({
    own: network === "a",
    network,
    seenAt: minute,
    country: null,
    sameToken: false,
  });
  const minutes = fc.integer({ min: 1, max: 5 });

  it("takes one who moves for one person, and one who was used before and after another for two", () => {
    fc.assert(
      fc.property(minutes, minutes, (inOther, inOwn) => {
        const other = Array.from({ length: inOther }, (_, i) => at("b", i));
        const own = Array.from({ length: inOwn }, (_, i) => at("a", inOther + i));
        const now = { at: inOther + inOwn, country: null };
        expect(sharingOf(now, [...other, ...own])).toBeNull();
        expect(sharingOf(now, [at("a", -1), ...other])).toEqual({ networks: 2, countries: 0, oneToken: false });
      }),
    );
  });
});
