/** docs/LOG.md names what the code has: every field and event of an entry, every code of a verdict. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { entrySchema } from "../src/audit/entry.ts";
import { exportFormat } from "../src/audit/manifest.ts";
import { problemCodes } from "../src/audit/verdict.ts";
import { root } from "./support/repository.ts";

const text = readFileSync(join(root, "docs/LOG.md"), "utf8");

/** What stands between `<!-- name -->` and `<!-- /name -->`. */
function section(name: string): string {
  return text.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0] ?? "";
}

/** The first cells of a table's rows, without ornaments. */
function firstCells(name: string): string[] {
  return Array.from(section(name).matchAll(/^\| \[?`(\w+)`\]? \|/gm), ([, cell = ""]) => cell);
}

describe("docs/LOG.md", () => {
  it("names the fields of an entry, and which may be absent", () => {
    const optional = Object.entries(entrySchema.shape).filter(([, field]) => field.safeParse(undefined).success);
    expect(firstCells("fields")).toEqual(Object.keys(entrySchema.shape));
    expect(Array.from(section("fields").matchAll(/^\| \[`(\w+)`\]/gm), ([, name]) => name)).toEqual(optional.map(([name]) => name));
  });

  it("names every event", () => {
    expect(Array.from(section("events").matchAll(/`([^`]+)`/g), ([, name]) => name)).toEqual(entrySchema.shape.event.options);
  });

  it("says of every code of a verdict what it means", () => expect(firstCells("codes")).toEqual([...problemCodes]));

  it("names the format that is written", () => expect(text).toContain(`\`${exportFormat}\``));
});
