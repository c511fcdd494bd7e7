/** docs/MASKS.md says what the code does. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { classTable, joinTable } from "./support/masks-table.ts";
import { root } from "./support/repository.ts";

const text = readFileSync(join(root, "docs/MASKS.md"), "utf8");

/** What stands between `<!-- name -->` and `<!-- /name -->`. */
function section(name: string): string | undefined {
  return text.split(`<!-- ${name} -->\n`)[1]?.split(`\n<!-- /${name} -->`)[0];
}

describe("docs/MASKS.md", () => {
  it("shows every class at every profile as the code masks it", () => expect(section("classes")).toBe(classTable()));
  it("lists every pair that the guard knows", () => expect(section("joins")).toBe(joinTable()));
});
