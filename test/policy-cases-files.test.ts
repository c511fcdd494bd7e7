/**
 * Case files as files: what is wrong in them is said like anywhere else, and `postern policy test` runs them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseCases, parseContract, parsePolicy } from "../src/policy/index.ts";
import { casesText, contract, everything, policy, record, runText } from "./support/cases.ts";
import { type CommandLine, createCommandLine } from "./support/command-line.ts";
import { root } from "./support/repository.ts";

describe("a case file", () => {
  const parsed = parsePolicy(policy, "p.yaml");
  const problems = (text: string) => {
    if (!parsed.ok) throw new Error("does not parse");
    const cases = parseCases(text, "p.cases.yaml", parsed.value);
    return cases.ok ? [] : cases.refusal.map(({ line, column, code, message, hint }) => `${line}:${column} ${code}: ${message} (${hint})`);
  };

  it.each([
    ["with an unknown key", "purpose: support", "purpos: support", "15:5 unknown_key", "did you mean purpose?"],
    ["with a mistake in its contract", "vendor: v-1", "vendr: v-1", "4:32 unknown_key", "did you mean vendor?"],
    ["with a role that the policy has not", "role: agent", "role: agnet", "14:20 unknown_role", "did you mean agent?"],
    ["with a type that the policy has not", "type: order", "type: ordr", "18:11 unknown_resource", "did you mean order?"],
    [
      "with a field that the resource has not",
      "status: { reveal: open }",
      "sttaus: { reveal: open }",
      "21:7 unknown_field",
      "did you mean status?",
    ],
    [
      "with a contract that it has not",
      "    purpose: support",
      "    contract: usul\n    purpose: support",
      "15:15 unknown_contract",
      "did you mean usual?",
    ],
    ["with a record that it has not", `record: ${record}`, "record: lin", "19:13 unknown_record", "lin"],
    ["with a treatment that does not exist", "{ reveal: open }", "{ show: open }", "21:23 unknown_treatment", "reveal"],
    ["with two treatments", "{ reveal: open }", "{ reveal: open, mask: open }", "21:15 unknown_treatment", "one word"],
    ["with something of what is withheld", "{ reveal: open }", "{ withhold: open }", "21:15 wrong_value", "the word alone"],
    ["with a price that is none", "{ reveal: open }", "{ reveal: open, on_request: { quota: 3/year } }", "21:52 wrong_value", "20/day"],
    ["with a number that YAML cannot hold", "{ reveal: open }", "{ reveal: 2188082354079975123 }", "21:25 wrong_value", "quote it"],
    ["with a moment that does not exist", "2026-03-02T10:00", "2026-02-30T10:00", "16:10 bad_date", "2026-03-02T10:00"],
    ["with a moment of another zone", "2026-03-02T10:00", "2026-03-02T10:00Z", "16:10 bad_date", "in the contract's zone"],
    ["without a moment", "    now: 2026-03-02T10:00\n", "", "13:5 missing", "no time"],
    ["with a condition of a field that is none", "expect:", "failed: [sttaus]\n    expect:", "20:14 unknown_field", "did you mean status?"],
    ["that expects a word that is none", everything, "not_their", "20:13 wrong_value", "not_there"],
    [
      "with one name twice",
      "cases:\n",
      `cases:\n  - { name: a promise, agent: { role: agent }, now: 2026-03-02T10:00, type: order, record: {}, expect: {} }\n`,
      "14:11 name_twice",
      "above",
    ],
    ["with two contracts, of which none is named", "cases:\n", "  other: c.yaml\ncases:\n", "14:5 missing", "one of usual, other"],
  ])("%s is refused", (_what, before, after, place, said) => {
    const text = casesText(everything);
    expect(text).toContain(before);
    const found = problems(text.replace(before, after)).find((problem) => problem.startsWith(place));
    expect(found, problems(text.replace(before, after)).join("\n")).toContain(said);
  });

  it("without a case is refused: nothing tested is not tested well", () => {
    expect(problems(`contracts:\n  usual:\n${contract}cases: []\n`)).toEqual(["12:8 wrong_value: no case (undefined)"]);
  });

  it("whose contract names another policy is refused", () => {
    expect(() => runText(casesText(everything).replace("policy:   p\n", "policy:   q\n"))).toThrow(
      'p.cases.yaml:10:15: this contract names the policy "q" (the cases are those of p)',
    );
  });

  it("whose contract is a mistake together with the policy is refused", () => {
    expect(() => runText(casesText(everything).replace("[agent, lead]", "[agent, led]"))).toThrow(
      /p\.cases\.yaml:11:\d+: the policy has no role "led"/,
    );
  });
});

/** Every place in a document, from its top. */
function spotsOf(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, member]) => spotsOf(member, [...at, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item: unknown, index) => (`${index}` === key ? replaced(item, rest, by) : item));
  const members = Object.entries(value ?? {}).map(([name, member]) => [name, name === key ? replaced(member, rest, by) : member] as const);
  return Object.fromEntries(members);
}

describe("whatever stands in a case file", () => {
  it("is read or refused, and what is read is run", () => {
    const parsed = parsePolicy(policy, "p.yaml");
    const good = parsed.ok ? parseCases(casesText(everything), "p.cases.yaml", parsed.value) : parsed;
    if (!parsed.ok || !good.ok) throw new Error("does not parse");
    const whole = "cases" in good.value ? good.value.source.value : null;
    const words = fc.constantFrom("mask", "withhold", "usual", "order", "not_there", "any", "2026-03-02T10:00", "rows");
    fc.assert(
      fc.property(fc.constantFrom(...spotsOf(whole)), fc.oneof(fc.jsonValue({ maxDepth: 2 }), words), (spot, by) => {
        const text = JSON.stringify(replaced(whole, spot, by));
        const cases = parseCases(text, "p.cases.yaml", parsed.value);
        // What is wrong with a contract is told by an Error of the test's own.
        if (cases.ok) expect(() => runText(text)).not.toThrow(TypeError);
        else expect(cases.refusal.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe("postern policy test", () => {
  let line: CommandLine;
  beforeAll(async () => {
    line = await createCommandLine();
    line.put("p.yaml", policy);
    line.put("p.cases.yaml", casesText(everything));
  });
  afterAll(() => line.remove());

  it("finds every shipped policy with cases, and all of them held", async () => {
    const { code, stdout } = await line.postern(`policy test ${join(root, "policies")}`);
    expect(stdout).toMatch(/\n[1-9]\d* passed, 0 failed\n$/);
    expect(code).toBe(0);
    const shipped = readdirSync(join(root, "policies")).filter((name) => name.endsWith(".yaml") && !name.endsWith(".cases.yaml"));
    for (const name of shipped) expect(stdout).toContain(`/${name.replace(/\.yaml$/, ".cases.yaml")}:`);
  });

  it("comes with policies that name no field which nobody works with: what is named is stored", () => {
    for (const name of readdirSync(join(root, "policies")).filter((file) => /^[^.]+\.yaml$/.test(file))) {
      const shipped = parsePolicy(readFileSync(join(root, "policies", name), "utf8"), name);
      if (!shipped.ok) throw new Error("does not parse");
      for (const [type, { fields }] of Object.entries(shipped.value.resources)) {
        const idle = Object.entries(fields).filter(
          ([path, { search }]) => !search && !Object.values(shipped.value.roles).some((rules) => rules[type]?.fields[path]),
        );
        expect(
          idle.map(([path]) => path),
          `${name} ${type}`,
        ).toEqual([]);
      }
    }
  });

  it("says of a case that fails what was expected, what came, and which line decided; and ends with 1", async () => {
    line.put("q.yaml", policy.replace('"items[].sku": reveal', '"items[].sku": mask'));
    line.put("q.cases.yaml", casesText(everything).replace("policy:   p\n", "policy:   q\n"));
    expect(await line.postern("policy test p.cases.yaml q.cases.yaml")).toEqual({
      code: 1,
      stdout: `ok    p.cases.yaml:13  a promise
FAIL  q.cases.yaml:13  a promise
      items[].sku: expected reveal ["A1","B2"], got mask ["A1","B2"] (role agent: items[].sku → mask (q.yaml:17))
1 passed, 1 failed
`,
      stderr: "",
    });
    const { code, stdout } = await line.postern("policy test q.cases.yaml --json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      passed: 0,
      failed: 1,
      cases: [{ name: "a promise", line: 13, differences: [{ path: "items[].sku", at: { file: "q.yaml", line: 17 } }] }],
    });
  });

  it("takes contracts from files beside the cases", async () => {
    line.put("c.yaml", contract.replaceAll(/^ {4}/gm, ""));
    line.put("p.cases.yaml", casesText(everything).replace(`  usual:\n${contract}`, "  usual: c.yaml\n"));
    expect(await line.postern("policy test .")).toMatchObject({ stdout: expect.stringMatching(/^ok {4}p\.cases\.yaml:4 /) });
    line.put("c.yaml", contract.replaceAll(/^ {4}/gm, "").replace("Asia/Shanghai", "Asia/Shangai"));
    expect(await line.postern("policy test p.cases.yaml")).toEqual({
      code: 1,
      stdout: "",
      stderr: "postern: 1 problem\n  c.yaml:3:55: not a time zone (an IANA name, as Asia/Shanghai)\n",
    });
    expect(parseContract(readFileSync(join(line.home, "c.yaml"), "utf8"), "c.yaml").ok).toBe(false);
  });

  it("has its files checked by policy check, among policies and contracts", async () => {
    line.put("p.cases.yaml", casesText(everything));
    line.put("c.yaml", contract.replaceAll(/^ {4}/gm, ""));
    expect(await line.postern("policy check c.yaml p.yaml p.cases.yaml")).toEqual({ code: 0, stdout: "OK, 3 files\n", stderr: "" });
    line.put("p.cases.yaml", casesText(everything).replace("role: agent", "role: agnet"));
    const { code, stderr } = await line.postern("policy check p.yaml p.cases.yaml");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'postern: 1 problem\n  p.cases.yaml:14:20: no role of the policy "agnet" (did you mean agent?)\n',
    });
  });

  it.each([
    [
      "a file that holds no cases",
      "policy test p.yaml",
      "p.yaml is no case file: those are called NAME.cases.yaml and lie beside NAME.yaml",
    ],
    ["a folder without any", "policy test data", "data is no case file"],
    ["cases of a policy that is not there", "policy test r.cases.yaml", "r.yaml cannot be read (ENOENT)"],
  ])("refuses %s", async (_what, words, said) => {
    expect(await line.postern(words)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(said) });
  });
});
