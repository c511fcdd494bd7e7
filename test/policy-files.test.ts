/**
 * Policy and contract files: what is wrong is said with line, column and cure; nothing is guessed or coerced.
 */
import { describe, expect, it } from "vitest";
import { describeProblem, parseContract, parsePolicy, termInstants } from "../src/policy/index.ts";

const contract = `contract: c-1
parties:  { merchant: m-1, vendor: v-1 }
term:     { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
purposes: { after_sales: {} }
ceiling:  { phone: mask }
policy:   cs-standard
roles:    [first_line]
`;

const policy = `resources:
  customer:
    subject: id
    fields:
      name: { class: person_name }
      phone: { class: phone, search: true }
roles:
  first_line:
    customer: { name: mask, phone: mask }
`;

/** `line:column code` of each problem, and the whole as text. */
function problems(parsed: ReturnType<typeof parsePolicy> | ReturnType<typeof parseContract>): { places: string[]; text: string } {
  if (parsed.ok) return { places: [], text: "" };
  return {
    places: parsed.refusal.map(({ line, column, code }) => `${line}:${column} ${code}`),
    text: parsed.refusal.map(describeProblem).join("\n"),
  };
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
    expect(problems(parseContract(contract.replaceAll(/(2026-01-01|2027-01-01)/g, '"$1"'), "c.yaml")).places).toEqual([]);
  });

  it.each([
    ["without an end", " end: 2027-01-01,", "", "3:1 missing", "end"],
    ["with an end before its start", "2027-01-01", "2025-12-31", "3:37 bad_date", "not after"],
    ["with an end on its start", "2027-01-01", "2026-01-01", "3:37 bad_date", "not after"],
    ["with a date that does not exist", "2027-01-01", "2026-02-30", "3:37 bad_date", "exists"],
    ["with a date in another calendar's dress", "2027-01-01", "01/01/2027", "3:37 bad_date", "YYYY-MM-DD"],
    ["with a timestamp", "2027-01-01", "2027-01-01T00:00:00Z", "3:37 bad_date", "YYYY-MM-DD"],
    ["with a year alone", "2027-01-01", "2027", "3:37 wrong_value", "string"],
    ["with a null end", "2027-01-01", "null", "3:37 wrong_value", "string"],
    ["with a year past reason", "2027-01-01", "9999-12-31", "3:37 bad_date", "2199"],
    ["with an unknown zone", "Asia/Shanghai", "Asia/Shangai", "3:55 bad_zone", "IANA"],
    ["with an offset for a zone", "Asia/Shanghai", '"+08:00"', "3:55 bad_zone", "IANA"],
    ["with an unknown key", "policy:  ", "polcy:   ", "6:1 unknown_key", "did you mean policy?"],
    ["with an unknown inner key", "zone: ", "zoen: ", "3:49 unknown_key", "did you mean zone?"],
    ["with a class that does not exist", "phone: mask", "phnoe: mask", "5:13 unknown_class", "did you mean phone?"],
    ["with a treatment that does not exist", "phone: mask", "phone: maks", "5:20 unknown_treatment", "did you mean mask?"],
    ["with a wildcard ceiling", "phone: mask", '"*": reveal', "5:13 wildcard", "name each class"],
    ["with an id outside the grammar", "c-1", "../c-1", "1:11 wrong_value", "letters"],
    ["without a purpose", "{ after_sales: {} }", "{}", "4:11 missing", "after_sales"],
    ["with a role twice", "[first_line]", "[first_line, first_line]", "7:11 wrong_value", "once"],
    ["purged within the day", "Shanghai }", "Shanghai, purge_after: 23h }", "3:83 bad_duration", "1d or more"],
    ["with a length without a unit", "Shanghai }", "Shanghai, purge_after: 7 }", "3:83 wrong_value", "string"],
  ])("%s is refused", (_what, before, after, place, said) => {
    const found = problems(parseContract(contract.replace(before, after), "c.yaml"));
    expect(found.places).toContain(place);
    expect(found.text).toContain(said);
  });
});

describe("a policy file", () => {
  it("that is empty is valid and denies everything", () => {
    for (const text of ["", "# nothing\n", "{}", "resources: {}\nroles: {}\n"]) {
      expect(parsePolicy(text, "p.yaml")).toMatchObject({ ok: true, value: { resources: {}, roles: {} } });
    }
  });

  it.each([
    ["with an unknown key", "search: true", "serach: true", "6:30 unknown_key", "did you mean search?"],
    ["with an unknown class", "class: phone", "class: phon", "6:23 unknown_class", "did you mean phone?"],
    ["that is not a boolean where one belongs", "search: true", "search: yes", "6:38 wrong_value", "boolean"],
    [
      "with a role for an unknown resource",
      "    customer: { name",
      "    custmer: { name",
      "9:5 unknown_resource",
      "did you mean customer?",
    ],
    ["with a role for an unknown field", "{ name: mask", "{ nmae: mask", "9:17 unknown_field", "did you mean name?"],
    ["with an unknown treatment", "name: mask", "name: show", "9:23 unknown_treatment", "withhold"],
    ["with a list for a treatment", "name: mask", "name: [mask]", "9:23 unknown_treatment", "one word"],
    ["with a wildcard field", "{ name: mask", '{ "*": reveal', "9:17 wildcard", "name each field"],
    ["with a wildcard in a path", "name: { class", '"*": { class', "5:7 wildcard", "name each field"],
    ["with a path outside the grammar", "name: { class", '"a..b": { class', "5:7 bad_path", "items[].sku"],
    ["with overlapping paths", "name: { class", "phone.home: { class", "6:7 paths_overlap", "inside"],
    ["with a subject of an unknown resource", "subject: id", "subject: { shop: id }", "3:14 bad_subject", "customer"],
    ["with a subject that is a list", "subject: id", "subject: [id]", "3:14 wrong_value", "{ type: path }"],
    [
      "with an extension of nothing",
      "    customer: { name",
      "    extends: frist_line\n    customer: { name",
      "9:14 unknown_role",
      "did you mean first_line?",
    ],
    ["that extends itself", "    customer: { name", "    extends: first_line\n    customer: { name", "9:14 extends_cycle", "stand alone"],
  ])("%s is refused", (_what, before, after, place, said) => {
    const found = problems(parsePolicy(policy.replace(before, after), "p.yaml"));
    expect(found.places).toContain(place);
    expect(found.text).toContain(said);
  });

  it("whose roles extend each other in a ring is refused, not followed for ever", () => {
    const ring = "roles:\n  a: { extends: b }\n  b: { extends: c }\n  c: { extends: a }\n  d: { extends: a }\n";
    expect(problems(parsePolicy(ring, "p.yaml")).places).toEqual(["2:17 extends_cycle", "3:17 extends_cycle", "4:17 extends_cycle"]);
  });
});

describe("YAML that is more than plain values", () => {
  it.each([
    ["a key twice", "roles: {}\nroles: {}\n", 2],
    ["an alias", "roles: &a {}\nresources: *a\n", 1],
    ["a bomb of aliases", `a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n`, 1],
    ["a merge key", "roles:\n  <<: {}\n", 2],
    ["a tag", "roles: !!map {}\n", 1],
    ["an own tag", "roles: !js {}\n", 1],
    ["a tab as indentation", "roles:\n\ta: {}\n", 2],
    ["a second document", "roles: {}\n---\nroles: {}\n", 2],
    ["a directive", "%YAML 1.1\n---\nroles: {}\n", 1],
    ["a number as key", "roles:\n  1: {}\n", 2],
    ["a prototype as key", "roles:\n  __proto__: {}\n", 2],
    ["an unclosed bracket", "roles: [\n", undefined],
    ["nesting without end", "[".repeat(100_000), undefined],
    ["nesting past the limit", `${"{a: ".repeat(40)}x${"}".repeat(40)}`, 1],
  ])("%s is refused", (_what, text, line) => {
    const parsed = parsePolicy(text, "p.yaml");
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.refusal[0]).toMatchObject({ file: "p.yaml", code: "yaml", ...(line === undefined ? {} : { line }) });
    expect("polluted" in {}).toBe(false);
  });

  it("larger than 256 kB is not even read", () => {
    expect(problems(parsePolicy(`# ${"x".repeat(300_000)}`, "p.yaml")).places).toEqual(["1:1 too_large"]);
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
