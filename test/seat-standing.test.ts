/** What a seat needs before it works: papers, a role that the contract allows, a shift. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, faultOfSeat, type Paper } from "../src/policy/index.ts";
import {
  type Agreement,
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
import { runs, runsTimeoutMs } from "./support/long.ts";

/** Each run makes a formatter of its own. */
const longRuns = 20_000;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await createGateway();
});
afterAll(() => gateway.close());

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
    ["nothing", () => ",,,", "seat_agreement_missing"],
    ["no training", () => `${dayAt(-9)},,,`, "seat_training_missing"],
    ["an agreement of tomorrow", () => `${dayAt(1)},,${dayAt(-9)},`, "seat_agreement_missing"],
    ["an agreement whose last day was yesterday", () => `${dayAt(-9)},${dayAt(-1)},${dayAt(-9)},`, "seat_agreement_expired"],
    ["a training that has run out", () => `${dayAt(-9)},,${dayAt(-9)},${dayAt(-1)}`, "seat_training_expired"],
    ["a training of more than a year ago", () => `${dayAt(-9)},,${dayAt(-366)},${dayAt(9)}`, "seat_training_expired"],
  ])("with %s on file it is refused, and the log says why", async (_what, papers, code) => {
    await expectStatus(send(`demo,agent-1,first_line,林,${papers()}`), 200);
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
        const fault = faultOfSeat(bundle, { role: "first_line", approvedRole: null, agreement, training, shifts: null }, now);
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
    faultOfSeat(bundleIn(where), { role: "first_line", approvedRole: null, agreement: null, training: null, shifts }, now) === null;

  it(
    "lets a seat work while a clock on the wall shows a time of its shifts, over midnight and over changes of the clocks",
    () => {
      const changes = [
        "2026-03-29T01:00Z",
        "2026-10-25T01:00Z",
        "2026-03-08T07:00Z",
        "2026-11-01T06:00Z",
        "2026-04-04T15:00Z",
        "2026-10-03T15:30Z",
      ];
      const nearChange = fc
        .tuple(fc.constantFrom(...changes), fc.integer({ min: -180, max: 180 }))
        .map(([at, by]) => Date.parse(at) + by * 60_000);
      const zones = fc.constantFrom("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo");
      fc.assert(
        fc.property(zones, fc.array(shift, { minLength: 1, maxLength: 4 }), fc.oneof(moment, nearChange), (where, shifts, now) => {
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
        { numRuns: Math.min(runs(500), longRuns) },
      );
    },
    runsTimeoutMs,
  );

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
