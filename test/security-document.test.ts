/** SECURITY.md promises nothing without a test, and names nothing that is not there. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./support/repository.ts";
import { hasShared, readShared } from "./support/shared.ts";

const text = readFileSync(join(root, "SECURITY.md"), "utf8");
const promised = sectionOf("What is promised");
const promises = promised.split(/^(?=\*\*P\d+\. )/m).slice(1);
const numbers = promises.map((promise) => /^\*\*(P\d+)\. /.exec(promise)?.[1] ?? "");

function sectionOf(title: string): string {
  return text.split(/^## /m).find((section) => section.startsWith(`${title}\n`)) ?? "";
}

/** What follows `Tests:`. */
function testsOf(promise: string): string[] {
  return [...(promise.split("\nTests: ")[1] ?? "").matchAll(/`(test\/[\w-]+\.test\.ts)`/g)].map(([, path = ""]) => path);
}

describe("SECURITY.md", () => {
  it("makes the promises P1 to P10, each once, in order", () => {
    expect(numbers).toEqual(Array.from({ length: 10 }, (_, i) => `P${i + 1}`));
  });

  it.each(numbers.map((number, i) => [number, promises[i] ?? ""] as const))(
    "%s has a test, and every test it names is there",
    (_, promise) => {
      const tests = testsOf(promise);
      expect(tests.length).toBeGreaterThan(0);
      for (const path of tests) {
        expect(existsSync(join(root, path)), path).toBe(true);
        expect(readFileSync(join(root, path), "utf8"), path).toMatch(/^\s*it(\.each|\()/m);
      }
    },
  );

  it("leads only to files that are there", () => {
    const named = [...text.matchAll(/`((?:test|src|docs|deploy)\/[\w./-]+)`/g), ...text.matchAll(/\]\(([\w./-]+)\)/g)].map(
      ([, path = ""]) => path,
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("says of every key and role who is trusted with it", () => {
    const components = sectionOf("Who is trusted with what");
    for (const trusted of [
      "root key",
      "writer key",
      "log key",
      "certificate key",
      "key shares",
      "`postern_edge`",
      "`postern_directory`",
      "`postern_keeper`",
    ])
      expect(components).toContain(trusted);
    expect(components.split("\n").filter((line) => line.startsWith("| ") && line.split("|").length !== 6)).toEqual([]);
  });

  it("says what is not promised, and how to report what is wrong", () => {
    const beyond = sectionOf("What is not promised");
    for (const open of ["writer keys and the database", "caught\n  by the promise only", "earlier version", "Agents' screens"])
      expect(beyond).toContain(open);
    expect(sectionOf("Reporting a vulnerability")).toContain("Privately");
  });

  it.skipIf(!hasShared("THREATS.md"))("leaves out no promise that the project was given", () => {
    const given = [...readShared("THREATS.md").matchAll(/^\| (P\d+) \|/gm)].map(([, number]) => number);
    expect(given).toEqual(numbers);
  });
});
