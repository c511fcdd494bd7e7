/**
 * Policy and contract files: nothing is guessed or coerced. What is said of each mistake: policy-check.test.ts.
 */
import { describe, expect, it } from "vitest";
import { parseContract, parsePolicy, termInstants } from "../src/policy/index.ts";

const contract = `contract: c-1
parties:  { merchant: m-1, vendor: v-1 }
term:     { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
purposes: { after_sales: {} }
ceiling:  { phone: mask }
policy:   cs-standard
roles:    [first_line]
`;

/** `line:column code` of each problem. */
function problems(parsed: ReturnType<typeof parsePolicy> | ReturnType<typeof parseContract>): string[] {
  return parsed.ok ? [] : parsed.refusal.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

describe("a contract file", () => {
  it("is read with the defaults of what it leaves out", () => {
    const parsed = parseContract(contract, "c.yaml");
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        id: "c-1",
        subprocessors: [],
        term: { start: "2026-01-01", end: "2027-01-01", zone: "Asia/Shanghai", purgeAfterHours: 168 },
        purposes: { after_sales: {} },
        purge: { coolingHours: 24, backupHorizonHours: 720 },
      },
    });
    expect(problems(parseContract(contract.replaceAll(/(2026-01-01|2027-01-01)/g, '"$1"'), "c.yaml"))).toEqual([]);
  });
});

describe("a policy file", () => {
  it("that is empty is valid and denies everything", () => {
    for (const text of ["", "# nothing\n", "{}", "resources: {}\nroles: {}\n"]) {
      expect(parsePolicy(text, "p.yaml")).toMatchObject({ ok: true, value: { resources: {}, roles: {} } });
    }
  });

  it("whose roles extend each other in a ring is refused, not followed for ever", () => {
    const ring = "roles:\n  a: { extends: b }\n  b: { extends: c }\n  c: { extends: a }\n  d: { extends: a }\n";
    expect(problems(parsePolicy(ring, "p.yaml"))).toEqual(["2:17 extends_cycle", "3:17 extends_cycle", "4:17 extends_cycle"]);
  });
});

describe("YAML that is meant to hurt", () => {
  it.each([
    ["a bomb of aliases", `a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n`, 1],
    ["an own tag", "roles: !js {}\n", 1],
    ["nesting without end", "[".repeat(100_000), undefined],
  ])("%s is refused", (_what, text, line) => {
    const parsed = parsePolicy(text, "p.yaml");
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.refusal[0]).toMatchObject({ file: "p.yaml", code: "yaml", ...(line === undefined ? {} : { line }) });
    expect("polluted" in {}).toBe(false);
  });
});

describe("the days of a term", () => {
  const term = (start: string, end: string, zone: string) => termInstants({ start, end, zone, purgeAfterHours: 168 });

  it("begin at midnight where the contract is", () => {
    expect(term("2026-01-01", "2027-01-01", "Asia/Shanghai")).toEqual({
      startsAt: "2025-12-31T16:00:00.000Z",
      endsAt: "2026-12-31T16:00:00.000Z",
      purgeDueAt: "2027-01-07T16:00:00.000Z",
    });
    expect(term("2026-07-01", "2026-12-01", "America/New_York")).toMatchObject({
      startsAt: "2026-07-01T04:00:00.000Z",
      endsAt: "2026-12-01T05:00:00.000Z",
    });
  });

  it("begin right on the days that the clocks change", () => {
    // Back at 02:00 on 1 November, forward at 02:00 on 8 March.
    expect(term("2026-03-08", "2026-11-01", "America/New_York")).toMatchObject({
      startsAt: "2026-03-08T05:00:00.000Z",
      endsAt: "2026-11-01T04:00:00.000Z",
    });
    // Santiago skips midnight of 6 September 2026: the day begins at 01:00.
    expect(term("2026-09-06", "2026-09-07", "America/Santiago")).toMatchObject({
      startsAt: "2026-09-06T04:00:00.000Z",
      endsAt: "2026-09-07T03:00:00.000Z",
    });
    // Havana has midnight twice on 1 November 2026: the first counts.
    expect(term("2026-11-01", "2026-11-02", "America/Havana")).toMatchObject({
      startsAt: "2026-11-01T04:00:00.000Z",
      endsAt: "2026-11-02T05:00:00.000Z",
    });
  });
});
