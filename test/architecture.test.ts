/**
 * The house keeps its own rules, the rules see the whole house, and each of them catches what it is there for.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractDepcruiseConfig from "dependency-cruiser/config-utl/extract-depcruise-config";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { type Import, lawful, unlawful } from "./support/architecture-seeds.ts";
import { plantTree, root, runTool, sourceFiles } from "./support/repository.ts";

const layers = {
  journeys: ["disclosure", "oversight", "agreement", "directory", "scim", "purge", "rotation", "erasure", "rights", "retention", "demo"],
  capabilities: [
    "masking",
    "policy",
    "contracts",
    "approvals",
    "break-glass",
    "identity",
    "offices",
    "records",
    "requests",
    "keys",
    "audit",
    "copies",
    "jobs",
    "idempotency",
    "revocations",
    "service-keys",
    "sessions",
    "passkeys",
    "connectors",
    "upstream",
  ],
  foundations: ["http", "crypto", "storage", "kernel"],
  entries: ["cli"],
} as const;

const linesMax = 300;
/** File over `linesMax` → why it is better whole. */
const longFiles: Readonly<Record<string, string>> = {};

const { options = {}, ...ruleSet } = await extractDepcruiseConfig(join(root, ".dependency-cruiser.json"));
const rules = (ruleSet.forbidden ?? []).map(({ name = "", comment = "", severity }) => ({ name, comment, severity }));

const planted: string[] = [];
afterEach(() => {
  for (const tree of planted.splice(0)) rmSync(tree, { recursive: true, force: true });
});

function plant(files: Readonly<Record<string, string>>, copied: readonly string[]): string {
  const tree = plantTree(files, copied);
  planted.push(tree);
  return tree;
}

async function cruiseSource(baseDir: string): Promise<ICruiseResult> {
  const { enhancedResolveOptions, ...cruiseOptions } = options;
  const { output } = await cruise(["src"], { ...cruiseOptions, baseDir, validate: true, ruleSet }, enhancedResolveOptions);
  if (typeof output === "string") throw new TypeError("the cruiser answers a result where no reporter is named");
  return output;
}

async function brokenRules(tree: string): Promise<string[]> {
  const { summary } = await cruiseSource(tree);
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

type Form = (specifier: string) => string;
const plainImport: Form = (specifier) => `import ${JSON.stringify(specifier)};`;

/** A tree in which these imports stand. */
function treeOf(imports: readonly Import[], form: Form = plainImport): string {
  const files: Record<string, string> = {};
  for (const [importer, imported] of imports) {
    const isFile = /^(src|test)\//.test(imported);
    if (isFile) files[imported] ??= "export {};\n";
    files[importer] = `${files[importer] ?? ""}${form(isFile ? specifierOf(importer, imported) : imported)}\n`;
  }
  return plant(files, ["package.json"]);
}

function specifierOf(importer: string, imported: string): string {
  const path = relative(dirname(importer), imported);
  return path.startsWith(".") ? path : `./${path}`;
}

describe("the direction of dependencies", () => {
  it("is kept by every file under src, and no file went unseen", async () => {
    const { modules, summary } = await cruiseSource(root);
    const seen = new Set(modules.map(({ source }) => source));
    expect(sourceFiles("src").filter((path) => !seen.has(path))).toEqual([]);
    expect(sourceFiles("src").length).toBeGreaterThan(10);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  it("has a layer for every folder, and a rule for every layer", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const known: readonly string[] = Object.values(layers).flat();
    expect(folders.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
    const text = JSON.stringify(ruleSet);
    expect(text).toContain(`(${layers.capabilities.join("|")})/`);
    expect(text).toContain(`(${layers.journeys.join("|")})/`);
  });

  it("lets a house in order stand", async () => {
    expect(await brokenRules(treeOf(lawful))).toEqual([]);
  });

  it.each(rules.map(({ name }) => name))("catches what %s forbids", async (name) => {
    const seed = unlawful[name];
    if (seed === undefined) throw new Error(`no seeded violation for the rule ${name}`);
    expect(await brokenRules(treeOf(seed))).toContainEqual(expect.stringMatching(new RegExp(`^${name}: `)));
  });

  it("is a list of errors, each with its sentence, each with its seed", () => {
    expect(rules.filter(({ comment, severity }) => comment.length < 20 || severity !== "error")).toEqual([]);
    expect(Object.keys(unlawful).sort()).toEqual(rules.map(({ name }) => name).sort());
  });

  it.each<[string, Form]>([
    ["a type", (specifier) => `import type { Some } from ${JSON.stringify(specifier)};`],
    ["a re-export", (specifier) => `export * from ${JSON.stringify(specifier)};`],
    ["a late import", (specifier) => `export const late = import(${JSON.stringify(specifier)});`],
    ["a type in place", (specifier) => `export type Some = import(${JSON.stringify(specifier)}).Some;`],
  ])("is not escaped by %s", async (_, form) => {
    const broken = await brokenRules(treeOf([["src/policy/decide.ts", "src/disclosure/index.ts"]], form));
    expect(broken).toContain("capabilities-look-down: src/policy/decide.ts → src/disclosure/index.ts");
  });
});

const pureProject = z.looseObject({ include: z.array(z.string()) });
const linter = z.looseObject({
  overrides: z.array(z.looseObject({ includes: z.array(z.string()), plugins: z.array(z.string()).optional() })),
});

/** Several threads check what they share once each. */
const quiet = ["--pretty", "false", "--singleThreaded"];

describe("the pure folders", () => {
  const project = ["-p", "tsconfig.pure.json", ...quiet];

  it("compile without any runtime's types", () => {
    expect(runTool("tsc", project, root)).toEqual({ exitCode: 0, output: "" });
  });

  it("are the same to the compiler and to the linter", () => {
    const { include } = pureProject.parse(JSON.parse(readFileSync(join(root, "tsconfig.pure.json"), "utf8")));
    const { overrides } = linter.parse(JSON.parse(readFileSync(join(root, "biome.json"), "utf8")));
    const linted = overrides.find(({ plugins }) => plugins?.includes("./biome-pure.grit"))?.includes;
    expect(linted).toEqual(include.map((path) => (path.endsWith(".ts") ? path : `${path}/**`)));
  });

  it("know none of a runtime's names", () => {
    const names = ["fetch", "process", "console", "setTimeout", "Buffer", "document", "performance", "URL"];
    const configuration = ["package.json", "tsconfig.json", "tsconfig.pure.json", "types"];
    const seeds = Object.fromEntries(names.map((name) => [`src/policy/uses-${name}.ts`, `export const use = ${name};\n`]));
    const { exitCode, output } = runTool("tsc", project, plant(seeds, configuration));
    expect(exitCode).not.toBe(0);
    const unknown = [...output.matchAll(/^src\/policy\/uses-(\w+)\.ts.*Cannot find name '(\w+)'/gm)].map(([, file, name]) => [file, name]);
    expect(unknown.sort()).toEqual(names.map((name) => [name, name]).sort());
  });
});

describe("the code", () => {
  it("compiles", { timeout: 240_000 }, () => {
    expect(runTool("tsc", ["-p", "tsconfig.json", ...quiet], root)).toEqual({ exitCode: 0, output: "" });
  });

  it("passes its lint rules, and silences neither `any` nor the compiler", () => {
    expect(lint(root)).toEqual([]);
    const silenced = /biome-ignore(-all)? lint\/suspicious\/noExplicitAny|@ts-(ignore|nocheck|expect-error)/;
    const files = sourceFiles("src").filter((path) => silenced.test(readFileSync(join(root, path), "utf8")));
    expect(files).toEqual([]);
  });

  const seeds = [
    ["suspicious/noExplicitAny", "src/audit/any.ts", "export const loose = (value: any) => value;"],
    ["style/noNonNullAssertion", "src/audit/non-null.ts", "export const sure = (value: string | null) => value!.length;"],
    ["style/noRestrictedImports", "src/audit/zod-named.ts", 'import { z } from "zod";\nexport const text = z.string();'],
    ["style/noRestrictedImports", "src/audit/zod-default.ts", 'import z from "zod";\nexport const text = z.string();'],
    ["style/noRestrictedImports", "src/audit/zod-type.ts", 'import type { ZodType } from "zod";\nexport type Text = ZodType<string>;'],
    ["style/noRestrictedImports", "src/audit/zod-v4.ts", 'import * as z from "zod/v4";\nexport const text = z.string();'],
    ["style/noDefaultExport", "src/audit/default.ts", "export default 1;"],
    ["style/noRestrictedGlobals", "src/policy/noise.ts", "export const noise = crypto.getRandomValues(new Uint8Array(8));"],
    ["plugin", "src/policy/today.ts", "export const today = new Date();"],
    ["plugin", "src/audit/tree.ts", "export const clock = Date.now;"],
    ["plugin", "src/masking/phone.ts", "export const noise = Math.random();"],
  ] as const;
  let caught: readonly string[];
  beforeAll(() => {
    const tree = plant(Object.fromEntries(seeds.map(([, path, text]) => [path, `${text}\n`])), ["biome.json", "biome-pure.grit"]);
    caught = lint(tree, "--vcs-enabled=false");
  });

  it.each(seeds)("lint's %s catches it in %s: %s", (rule, path) => {
    expect(caught).toContainEqual(expect.stringMatching(new RegExp(`^${path} .*${rule}$`)));
  });

  it("lets zod in as a namespace, and a pure folder reckon with dates", () => {
    const text = 'import * as z from "zod";\n\nexport const day = z.string().transform((text) => new Date(text));\n';
    expect(lint(plant({ "src/policy/term.ts": text }, ["biome.json", "biome-pure.grit"]), "--vcs-enabled=false")).toEqual([]);
  });

  it("has no file over 300 lines but those that say why", () => {
    const long = [...sourceFiles("src"), ...sourceFiles("test")].filter((path) => lineCount(path) > linesMax);
    expect(long).toEqual(Object.keys(longFiles).sort());
  });
});

const report = z.object({ diagnostics: z.array(z.looseObject({ category: z.string(), location: z.looseObject({ path: z.string() }) })) });

/** The linter's findings in `directory`, as `src/policy/decide.ts lint/suspicious/noExplicitAny`. */
function lint(directory: string, ...args: string[]): string[] {
  const { output } = runTool("biome", ["lint", ".", "--reporter=json", "--max-diagnostics=200", "--error-on-warnings", ...args], directory);
  const { diagnostics } = report.parse(JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1)));
  return diagnostics.map(({ category, location }) => `${location.path} ${category}`);
}

function lineCount(path: string): number {
  return readFileSync(join(root, path), "utf8").split("\n").length - 1;
}
