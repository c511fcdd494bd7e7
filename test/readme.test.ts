/**
 * The README, executed: every block, in order, in a checkout of its own, with real processes. What it shows is what comes out.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusals } from "../src/kernel/index.ts";
import { type Checkout, checkOut, type Terminal } from "./support/checkout.ts";
import { freePort } from "./support/free-port.ts";
import { type Fence, fencesOf, shownAs } from "./support/readme.ts";
import { root } from "./support/repository.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const linesMax = 115;
const columnsMax = 180;

/** A block that goes on running → what it prints when it is ready. */
const serving: readonly (readonly [words: string, ready: string])[] = [
  ["npm start", "Stop with Ctrl-C."],
  ["npx postern serve", " serves http://"],
];
/** `npm ci` is what brought the packages here; doing it again would take them from under the other tests. */
const installed = 'npm() { [ "$1" = ci ] || command npm "$@"; }\n';

describe("the README", () => {
  let checkout: Checkout;
  let port: number;
  let server: Terminal | null = null;
  /** What the open terminal has exported. */
  let exported = "";
  let printed = "";

  beforeAll(async () => {
    port = await freePort();
    checkout = checkOut({ PORT: String(port), POSTERN_ORIGIN: `http://127.0.0.1:${port}` });
  });
  afterAll(() => checkout.remove());

  it("is two screens, and its blocks are of kinds that this test runs", () => {
    const lines = readme.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(linesMax);
    expect(lines.filter((line) => line.length > columnsMax)).toEqual([]);
    expect(new Set(fencesOf(readme).map(({ language }) => language))).toEqual(new Set(["sh", "text", "yaml", "csv", "json"]));
  });

  it.each(fencesOf(readme).map((fence) => [`line ${fence.line} (${fence.file || fence.language})`, fence] as const))(
    "keeps its word: %s",
    async (_name, fence) => {
      if (fence.file) write(fence);
      else if (fence.language === "text") expectShown(fence);
      else await paste(fence);
    },
    60_000,
  );

  it("links to a page that lists every refusal there is, as the gateway titles it", () => {
    const page = readFileSync(join(root, "docs/errors/README.md"), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const expected = Object.entries(refusals).map(([code, { status, en, "zh-CN": zh }]) => `| \`${code}\` | ${status} | ${en} | ${zh} |`);
    expect(rows.map((row) => row.slice(0, row.lastIndexOf("|", row.length - 2) + 1))).toEqual(expected);
  });

  function write({ file, text }: Fence): void {
    const path = join(checkout.directory, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  function expectShown({ text }: Fence): void {
    for (const line of text.trimEnd().split("\n")) expect(printed).toMatch(shownAs(line));
  }

  async function paste({ text }: Fence): Promise<void> {
    const commands = text.replaceAll("127.0.0.1:8787", `127.0.0.1:${port}`);
    const [, ready] = serving.find(([words]) => commands.includes(words)) ?? [];
    if (ready !== undefined) {
      await server?.interrupt();
      exported = "";
      server = await checkout.open(installed + commands, ready);
      return;
    }
    const ran = await checkout.run(`set -e\n${exported}${commands}`);
    printed = ran.output;
    exported += `${commands.match(/^export .*$/gm)?.join("\n") ?? ""}\n`;
    expect(ran).toMatchObject({ exitCode: 0 });
  }
});
