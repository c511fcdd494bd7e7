import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, faultOfSeat, type Paper } from "../src/policy/index.ts";
import {
  type Agreement,
  applyFiles,
  bringIntoForce,
  contractText,
  expectStatus,
  importLines,
  problemOf,
  search,
  shippedPolicy,
} from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/log-writers.ts";
import { runs } from "./support/long.ts";

let gateway: Gateway;
beforeAll(async () => {
  const vendors = { "v-yunfu": { issuers: ["demo"] }, "v-own": { issuers: ["own"] } };
  gateway = await createGateway({ common: { vendors } });
});
afterAll(() => gateway.close());

describe("seats come as a CSV, all or nothing", () => {
  beforeAll(() => bringIntoForce(gateway, { contract: "c-seats", seats: "" }));

  function send(csv: string): Promise<Response> {
    return gateway.call("POST", "/v1/contracts/c-seats/agents", { as: "owner-1", body: csv, headers: { "content-type": "text/csv" } });
  }

  it.each([
    ["an unknown role", "demo,a,boss,x", "unknown_role"],
    ["an unknown issuer", "elsewhere,a,first_line,x", "unknown_issuer"],
    ["somebody twice, in another case", "demo,b,first_line,x\ndemo,B,first_line,x", "duplicate"],
    ["somebody twice, composed and decomposed", "demo,\u00e9va,first_line,x\ndemo,e\u0301va,first_line,x", "duplicate"],
    ["somebody twice, with letters of Cyrillic", "demo,cope,first_line,x\ndemo,соре,first_line,x", "duplicate"],
    ["a Cyrillic letter in a Latin word", "demo,аgent,first_line,x", "mixed_alphabets"],
    ["a Greek letter after a Latin one", "demo,agοnt,first_line,x", "mixed_alphabets"],
    ["an invisible character", "demo,a\u202e,first_line,x", "bad_subject"],
    ["a name that a program could not read", "demo,a,first_line,\ufffd\ufffd", "bad_name"],
    ["a byte order mark before a later row", "\ufeffdemo,a,first_line,x", "bad_issuer"],
    ["a name that is a formula", "demo,a,first_line,=1+1", "formula"],
    ["a name that is a formula in full width", "demo,a,first_line,＝1+1", "formula"],
    ["a subject that is a formula", "demo,@SUM(1),first_line,x", "formula"],
    ["a subject that subtracts", "demo,-1+1,first_line,x", "formula"],
    ["an officer of the merchant", "demo,officer,first_line,x", "holds_office"],
    ["a missing column", "demo,a,first_line", "bad_row"],
    ["a column that the header has not", "demo,a,first_line,x,2026-01-01", "bad_row"],
    ["a quote that never ends", 'demo,a,first_line,"x', "csv"],
  ])("%s is named by its row, and nobody is seated", async (_what, rows, code) => {
    const problem = await problemOf(send(`issuer,subject,role,name\ndemo,ok,first_line,好\n${rows}\n`), 422);
    expect(problem.errors?.map((error) => error.code)).toContain(code);
    const me = await expectStatus(gateway.call("GET", "/v1/me", { as: "ok" }), 200);
    expect(((await me.json()) as { contracts: unknown[] }).contracts).toEqual([]);
  });

  it("every wrong row is named by its line, empty lines counted", async () => {
    const problem = await problemOf(send("issuer,subject,role,name\n\ndemo,a,boss,x\ndemo,b,first_line,好\ndemo,c,first_line,-1\n"), 422);
    expect(problem.errors).toEqual([
      { pointer: "row:3", code: "unknown_role" },
      { pointer: "row:5", code: "formula" },
    ]);
  });

  it.each([
    ["in another case", "Twin"],
    ["in full width", "ｔｗｉｎ"],
    ["in other letters", "TWıN"],
  ])("nobody is seated whose subject looks like a seat's that is there, %s", async (_how, subject) => {
    await expectStatus(send("issuer,subject,role,name\ndemo,twin,first_line,好\ndemo,-Qx_1,first_line,小满Lin\n"), 200);
    const told = async () => {
      const entries = (await entriesOf({ owner: gateway.database }, "c-seats")).map(({ entry }) => entry);
      return entries.filter(({ event }) => event === "seats.imported").map(({ outcome }) => outcome.effect);
    };
    const before = (await told()).length;
    const problem = await problemOf(send(`issuer,subject,role,name\ndemo,other,first_line,好\ndemo,${subject},first_line,x\n`), 422);
    expect(problem.errors).toEqual([{ pointer: "row:3", code: "twin" }]);
    expect((await told()).slice(before)).toEqual(["deny"]);
  });

  it("of two imports at once of people who look alike one is refused as a whole", async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `race-${i}`);
    const csvOf = (name: (row: string) => string) =>
      `issuer,subject,role,name\n${rows.map((row) => `demo,${name(row)},first_line,x\n`).join("")}`;
    const answers = await Promise.all([send(csvOf((row) => row)), send(csvOf((row) => row.toUpperCase()))]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
  });

  it("a vendor's agents come by its own identity provider, not by another organisation's", async () => {
    await expectStatus(applyFiles(gateway, contractText({ contract: "c-own" }).replace("v-yunfu", "v-own")), 200);
    const body = "issuer,subject,role,name\ndemo,a,first_line,x\nown,b,first_line,y\n";
    const sent = gateway.call("POST", "/v1/contracts/c-own/agents", { as: "owner-1", body, headers: { "content-type": "text/csv" } });
    expect((await problemOf(sent, 422)).errors).toEqual([{ pointer: "row:2", code: "unknown_issuer" }]);
  });

  it("a byte order mark and 500 rows are no trouble; rows in GBK are named", async () => {
    const rows = Array.from({ length: 500 }, (_, i) => `demo,seat-${i},first_line,客服${i}`).join("\r\n");
    const answer = await expectStatus(send(`\ufeffissuer,subject,role,name\r\n${rows}\r\n`), 200);
    expect(await answer.json()).toEqual({ seats: 500 });
    const gbk = Buffer.concat([
      Buffer.from("issuer,subject,role,name\ndemo,a,first_line,好\ndemo,b,first_line,"),
      Buffer.from([0xc1, 0xd6, 0x0a]),
      Buffer.from("demo,c,first_line,x\ndemo,d,first_line,"),
      Buffer.from([0xd0, 0xa1, 0xc2, 0xfa]),
    ]);
    const headers = { authorization: `Bearer ${await gateway.token("owner-1")}`, "content-type": "text/csv" };
    const refused = gateway.app.request("http://127.0.0.1:8787/v1/contracts/c-seats/agents", { method: "POST", headers, body: gbk });
    expect((await problemOf(Promise.resolve(refused), 422)).errors).toEqual([
      { pointer: "row:3", code: "not_utf8" },
      { pointer: "row:5", code: "not_utf8" },
    ]);
  });
});

const zone = "Asia/Shanghai";
const dayMs = 86_400_000;
/** The civil day so many days from an instant, where the contract is. */
const dayAt = (days: number, now = Date.now()) => new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(now + days * dayMs);

describe("a seat works once its papers are on file", () => {
  const header = "issuer,subject,role,name,agreement_on,agreement_until,training_on,training_until";
  beforeAll(async () => {
    await bringIntoForce(gateway, {
      contract: "c-papers",
      seats: "",
      more: "seats: { agreement: required, training: { within: 365d } }\n",
    });
    await importLines(gateway, [{ id: "U1", name: "林小满" }], { contract: "c-papers" });
  });

  const send = (rows: string, first = header) =>
    gateway.call("POST", "/v1/contracts/c-papers/agents", {
      as: "owner-1",
      body: `${first}\n${rows}\n`,
      headers: { "content-type": "text/csv" },
    });
  const ask = (as: string) => gateway.call("POST", "/v1/contracts/c-papers/records/customer/search", { as, body: { by: { id: "U1" } } });
  const lastOutcome = async () => (await entriesOf({ owner: gateway.database }, "c-papers")).at(-1)?.entry;

  it.each([
    ["nothing", ",,,", "seat_agreement_missing"],
    ["no training", `${dayAt(-9)},,,`, "seat_training_missing"],
    ["an agreement of tomorrow", `${dayAt(1)},,${dayAt(-9)},`, "seat_agreement_missing"],
    ["an agreement whose last day was yesterday", `${dayAt(-9)},${dayAt(-1)},${dayAt(-9)},`, "seat_agreement_expired"],
    ["a training that has run out", `${dayAt(-9)},,${dayAt(-9)},${dayAt(-1)}`, "seat_training_expired"],
    ["a training of more than a year ago", `${dayAt(-9)},,${dayAt(-366)},${dayAt(9)}`, "seat_training_expired"],
  ])("with %s on file it is refused, and the log says why", async (_what, papers, code) => {
    await expectStatus(send(`demo,agent-1,first_line,林,${papers}`), 200);
    expect(await problemOf(ask("agent-1"), 403)).toMatchObject({ code });
    expect(await lastOutcome()).toMatchObject({ event: "record.searched", actor: { role: "agent" }, outcome: { effect: "deny", code } });
  });

  it("on their last days they hold, and a file without their columns leaves them as they are", async () => {
    await expectStatus(send(`demo,agent-1,first_line,林,${dayAt(-9)},${dayAt(0)},${dayAt(-365)},${dayAt(0)}`), 200);
    expect((await search(gateway, { id: "U1" }, { contract: "c-papers" })).records).toHaveLength(1);
    await expectStatus(send("demo,agent-1,senior,林", "issuer,subject,role,name"), 200);
    await expectStatus(ask("agent-1"), 200);
    await expectStatus(send(`demo,agent-1,senior,林,`, "issuer,subject,role,name,training_on"), 200);
    expect(await problemOf(ask("agent-1"), 403)).toMatchObject({ code: "seat_training_missing" });
  });

  it.each([
    ["a day that does not exist", "2026-02-30,,,", "bad_agreement_on"],
    ["a day of another order", ",,31/12/2026,", "bad_training_on"],
    ["a last day before the first", "2026-02-02,2026-02-01,,", "bad_agreement_until"],
    ["a last day of nothing", ",,,2026-02-01", "bad_training_until"],
  ])("%s is named by its row", async (_what, papers, code) => {
    const problem = await problemOf(send(`demo,agent-2,first_line,欧,,,,\ndemo,agent-3,first_line,赵,${papers}`), 422);
    expect(problem.errors).toEqual([{ pointer: "row:3", code }]);
  });

  it.each([
    ["twice", `${header},training_on`],
    ["that nobody knows", `${header},papers`],
    ["of a last day alone", "issuer,subject,role,name,agreement_until"],
  ])("a column %s is refused with the header", async (_what, first) => {
    expect((await problemOf(send("", first), 422)).errors).toMatchObject([{ pointer: "row:1", code: "header" }]);
  });
});

describe("a contract names the roles that seats may have", () => {
  const contract = "c-roles";
  const send = (rows: string) =>
    gateway.call("POST", `/v1/contracts/${contract}/agents`, {
      as: "owner-1",
      body: `issuer,subject,role,name\n${rows}\n`,
      headers: { "content-type": "text/csv" },
    });
  const ask = (as: string) => gateway.call("POST", `/v1/contracts/${contract}/records/customer/search`, { as, body: { by: { id: "U1" } } });
  const narrowed = (agreement: Agreement) =>
    expectStatus(
      gateway.call("PUT", `/v1/contracts/${contract}/policy`, {
        as: "owner-1",
        body: {
          contract: { name: "contract.yaml", text: contractText({ contract, ...agreement }) },
          policy: { name: "policy.yaml", text: shippedPolicy("cs-standard") },
        },
      }),
      200,
    );

  it("and one that is narrowed refuses the seats beyond it, which no import gives any more", async () => {
    await bringIntoForce(gateway, { contract });
    await expectStatus(ask("agent-2"), 200);
    await narrowed({ more: "seats: { roles: [first_line] }\n" });
    expect(await problemOf(ask("agent-2"), 403)).toMatchObject({ code: "seat_role_not_allowed" });
    await expectStatus(ask("agent-1"), 200);
    const problem = await problemOf(send("demo,agent-3,first_line,赵\ndemo,agent-4,senior,李"), 422);
    expect(problem.errors).toEqual([{ pointer: "row:3", code: "role_not_allowed" }]);
    await expectStatus(send("demo,agent-2,first_line,欧阳明"), 200);
    await expectStatus(ask("agent-2"), 200);
  });

  it("and a seat whose role the contract has no more is refused in the same way", async () => {
    await narrowed({ roles: "[first_line]", more: "seats: { roles: [first_line] }\n" });
    await gateway.database.query("update postern.seat set role = 'senior' where contract_id = $1 and subject = 'agent-1'", [contract]);
    expect(await problemOf(ask("agent-1"), 403)).toMatchObject({ code: "seat_role_not_allowed" });
  });
});

describe("a seat with shifts", () => {
  beforeAll(() => bringIntoForce(gateway, { contract: "c-shifts" }));
  const send = (shifts: string, subject = "agent-1") =>
    gateway.call("POST", "/v1/contracts/c-shifts/agents", {
      as: "owner-1",
      body: `issuer,subject,role,name,shifts\ndemo,${subject},first_line,林,${shifts}\n`,
      headers: { "content-type": "text/csv" },
    });
  const ask = () => gateway.call("POST", "/v1/contracts/c-shifts/records/customer/search", { as: "agent-1", body: { by: { id: "U1" } } });
  /** So many hours from now, on the clock of the contract's zone. */
  const clock = (hours: number) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(Date.now() + hours * 3_600_000);

  it("is refused off shift, with an entry, and works on shift, whatever the day it began", async () => {
    await expectStatus(send(`mon-sun ${clock(2)}-${clock(-2)}`), 200);
    expect(await problemOf(ask(), 403)).toMatchObject({ code: "off_shift" });
    const entry = (await entriesOf({ owner: gateway.database }, "c-shifts")).at(-1)?.entry;
    expect(entry).toMatchObject({ actor: { role: "agent" }, outcome: { effect: "deny", code: "off_shift" } });
    await expectStatus(send(`${clock(-2)}-${clock(2)}`), 200);
    await expectStatus(ask(), 200);
    await expectStatus(send(""), 200);
    await expectStatus(ask(), 200);
  });

  it.each([
    "09:00",
    "mon-fri",
    "mon-fri 9:00-18:00",
    "09:00-09:00",
    "noon 09:00-18:00",
    "09:00-18:00-20:00",
    "09:00-18:00;",
    "mon 25:00-26:00",
  ])("%s are none, and the row is named", async (shifts) => {
    expect((await problemOf(send(shifts, "agent-9"), 422)).errors).toEqual([{ pointer: "row:2", code: "bad_shifts" }]);
  });
});

describe("the judge of a seat", () => {
  const first = Date.UTC(2026, 0, 1);
  const moment = fc.integer({ min: 0, max: 800 * dayMs }).map((ms) => first + ms);
  const paper = fc.option(
    fc
      .tuple(fc.integer({ min: -20, max: 820 }), fc.option(fc.integer({ min: 0, max: 400 })))
      .map(([on, life]): Paper => ({ on: dayAt(on, first), until: life === null ? null : dayAt(on + life, first) })),
  );
  const terms = fc.oneof(
    fc.constant({}),
    fc.integer({ min: 1, max: 400 }).map((withinDays) => ({ withinDays })),
  );
  const demands = fc.record({ agreement: terms, training: terms }, { requiredKeys: [] });

  it("lets a seat work on exactly those days on which each demanded paper holds", () => {
    fc.assert(
      fc.property(moment, demands, paper, paper, (now, seats, agreement, training) => {
        const today = dayAt(0, now);
        const holds = (demanded: { withinDays?: number } | undefined, held: Paper | null) => {
          if (demanded === undefined) return true;
          if (held === null || held.on > today || (held.until !== null && today > held.until)) return false;
          return demanded.withinDays === undefined || Date.parse(today) - Date.parse(held.on) <= demanded.withinDays * dayMs;
        };
        const bundle = { contract: { term: { zone }, seats }, roles: { first_line: {} } } as unknown as Bundle;
        const fault = faultOfSeat(bundle, { role: "first_line", agreement, training, shifts: null }, now);
        expect(fault === null).toBe(holds(seats.agreement, agreement) && holds(seats.training, training));
      }),
    );
  });

  const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const time = fc.integer({ min: 0, max: 1_439 }).map((at) => new Date(at * 60_000).toISOString().slice(11, 16));
  const shift = fc
    .record({ on: fc.subarray(days, { minLength: 1 }), from: time, to: fc.oneof(time, fc.constant("24:00")) })
    .filter(({ from, to }) => from !== to);
  const bundleIn = (where: string) => ({ contract: { term: { zone: where } }, roles: { first_line: {} } }) as unknown as Bundle;
  const onShift = (where: string, shifts: string, now: number) =>
    faultOfSeat(bundleIn(where), { role: "first_line", agreement: null, training: null, shifts }, now) === null;

  it("lets a seat work while a clock on the wall shows a time of its shifts, over midnight and over changes of the clocks", () => {
    const zones = fc.constantFrom("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo");
    fc.assert(
      fc.property(zones, fc.array(shift, { minLength: 1, maxLength: 4 }), moment, (where, shifts, now) => {
        const shown = new Map(
          new Intl.DateTimeFormat("en-US", { timeZone: where, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
            .formatToParts(now)
            .map(({ type, value }) => [type, value]),
        );
        const today = String(shown.get("weekday")).toLowerCase();
        const yesterday = days[(days.indexOf(today) + 6) % 7] ?? "";
        const at = Number(shown.get("hour")) * 60 + Number(shown.get("minute"));
        // On a line of two days: what began yesterday goes on, perhaps into today.
        const isIn = shifts.some(({ on, from, to }) => {
          const [begin, end] = [minuteOf(from), minuteOf(to) + (minuteOf(to) < minuteOf(from) ? 1_440 : 0)];
          return (on.includes(today) && begin <= at && at < end) || (on.includes(yesterday) && begin <= at + 1_440 && at + 1_440 < end);
        });
        const text = shifts.map(({ on, from, to }) => `${on.join(" ")} ${from}-${to}`).join("; ");
        expect(onShift(where, text, now)).toBe(isIn);
      }),
      { numRuns: runs(500) },
    );
  });

  it.each([
    ["before it began", "2026-03-28T20:59Z", false],
    ["at its begin", "2026-03-28T21:00Z", true],
    ["past midnight", "2026-03-29T00:30Z", true],
    ["after the hour that is skipped", "2026-03-29T01:30Z", true],
    ["in its last minute", "2026-03-29T03:59Z", true],
    ["at its end, an hour early", "2026-03-29T04:00Z", false],
    ["in the hour that is shown twice, the second time", "2026-10-25T01:30Z", true],
    ["at its end, an hour late", "2026-10-25T05:00Z", false],
  ])("a night shift in Berlin over a change of the clocks, %s", (_when, now, works) => {
    expect(onShift("Europe/Berlin", "sat 22:00-06:00", Date.parse(now))).toBe(works);
  });
});
