/** docs/CERTIFICATE.md explains every field of both certificates, each with its clause, and every code of a verdict. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assurances, certificateSchema, finalCertificateSchema } from "../src/purge/certificate-document.ts";
import { certificateProblems } from "../src/purge/index.ts";
import { root } from "./support/repository.ts";

const text = readFileSync(join(root, "docs/CERTIFICATE.md"), "utf8");

/** The rows between `<!-- name -->` and `<!-- /name -->`, head and rule left out. */
function rowsOf(name: string): string[][] {
  const section = text.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function namesIn(rows: readonly string[][]): string[] {
  return rows.flatMap(([names = ""]) => Array.from(names.matchAll(/`(\w+)`/g), ([, name = ""]) => name));
}

describe("docs/CERTIFICATE.md", () => {
  it.each([
    ["first", certificateSchema],
    ["final", finalCertificateSchema],
  ] as const)("explains every field of the %s certificate, once, with the clause it answers and what it is held to", (name, schema) => {
    const rows = rowsOf(name);
    expect(namesIn(rows).sort()).toEqual(Object.keys(schema.shape).sort());
    expect(rows.filter((row) => row.length !== 4 || row.some((cell) => cell === ""))).toEqual([]);
  });

  it("answers every clause that a certificate names", () => {
    const clauses = rowsOf("first")
      .map(([, , clause = ""]) => clause)
      .join();
    for (const clause of ["PIPL 21(2)", "47", "55-56", "69", "网络数据安全管理条例 12", "GDPR 28(3)(g)", "NIST SP 800-88"])
      expect([clause, clauses.includes(clause)]).toEqual([clause, true]);
  });

  it("says what each level of assurance means", () => {
    for (const level of assurances) expect(text).toContain(`| \`${level}\` |`);
  });

  it("says of every code of a verdict what does not hold", () => {
    expect(rowsOf("codes").map(([code, line]) => [code?.replaceAll("`", ""), line])).toEqual(Object.entries(certificateProblems));
  });
});
