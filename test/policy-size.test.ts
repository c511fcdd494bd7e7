/**
 * Policy files about as long as a file may be, each long in one way only (decision 0012). Each once took from five seconds to minutes.
 */
import { describe, expect, it } from "vitest";
import type { Result } from "../src/kernel/index.ts";
import { compile, type Problem, parseContract, parsePolicy } from "../src/policy/index.ts";

const contract = `contract: c-1
parties:  { merchant: m-1, vendor: v-1 }
term:     { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
purposes: { after_sales: {} }
ceiling:  { plain: reveal }
policy:   cs
roles:    [first_line, senior]
`;

function problemsOf(parsed: Result<unknown, Problem[]>): Problem[] {
  return parsed.ok ? [] : parsed.refusal;
}

describe("a file that is long in one way only", () => {
  const of = (count: number, write: (n: number) => string) => Array.from({ length: count }, (_, n) => write(n)).join(" ");
  const thing = (fields: string) => `resources: { thing: { subject: id, fields: { ${fields} } } }\n`;
  const plain = (count: number) => thing(of(count, (n) => `field${n}: { class: plain },`));

  it.each([
    ["fields", plain(8_000), []],
    ["one object's fields", thing(of(5_000, (n) => `a.b.c.d.e.field${n}: { class: plain },`)), []],
    ["keys", `{ ${of(20_000, (n) => `key${n}: ,`)} }`, ["unknown_key"]],
    ["fields that nobody named", `${plain(3_000)}roles: { a: { thing: { ${of(3_000, (n) => `feild${n}: mask,`)} } } }`, ["unknown_field"]],
    [
      "resources that nobody named",
      `resources: { ${of(2_000, (n) => `thing${n}: { subject: id },`)} }\nroles: { a: { ${of(4_000, (n) => `thign${n}: {},`)} } }`,
      ["unknown_resource"],
    ],
    ["roles that nobody wrote", `roles: { ${of(8_000, (n) => `role${n}: { extends: rule${n} },`)} }`, ["unknown_role"]],
    ["roles in a row", `roles: { role0: {}, ${of(6_000, (n) => `role${n + 1}: { extends: role${n} },`)} }`, ["extends_too_deep"]],
    [
      "a ring of roles",
      `roles: { role0: { extends: role6000 }, ${of(6_000, (n) => `role${n + 1}: { extends: role${n} },`)} }`,
      ["extends_too_deep"],
    ],
    ["classes that are none", thing(of(7_000, (n) => `field${n}: { class: plian },`)), ["unknown_class"]],
  ])("%s: is read or refused within three seconds' work", (_what, text, codes) => {
    const started = process.cpuUsage();
    const found = problemsOf(parsePolicy(text, "p.yaml"));
    // Of the processor: the clock on the wall counts what else runs.
    expect(process.cpuUsage(started).user).toBeLessThan(3_000_000);
    expect([...new Set(found.map(({ code }) => code))]).toEqual(codes);
  });

  it("has its first fifty problems told, each with its cure", () => {
    const text = `${plain(60)}roles: { a: { thing: { ${of(60, (n) => `feild${n}: mask,`)} } } }`;
    const found = problemsOf(parsePolicy(text, "p.yaml"));
    expect(found).toHaveLength(50);
    expect(found.every(({ hint }) => hint?.startsWith("did you mean field"))).toBe(true);
  });

  it("is not multiplied by the contract's roles", () => {
    const wide = parsePolicy(`${plain(4_000)}roles: { ${of(4_000, (n) => `role${n}: {},`)} }`, "p.yaml");
    const many = parseContract(contract.replace("[first_line, senior]", `[${of(4_000, (n) => `role${n},`)}]`), "c.yaml");
    if (!wide.ok || !many.ok) throw new Error("does not parse");
    expect(problemsOf(compile(wide.value, many.value))).toMatchObject([{ file: "c.yaml", line: 7, column: 11, code: "too_large" }]);
    const few = parseContract(
      contract.replace(
        "first_line, senior",
        of(12, (n) => `role${n},`),
      ),
      "c.yaml",
    );
    if (!few.ok) throw new Error("does not parse");
    expect(compile(wide.value, few.value).ok).toBe(true);
  });
});
