/** A certificate in the verifying page: the verdict of the command, to the letter, in a real browser. Skipped where there is no Chromium. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatTrust } from "../src/audit/trust.ts";
import { texts } from "../src/cli/certificate-words.ts";
import { createSigner, randomBytes, signJws } from "../src/crypto/index.ts";
import { certificateTyp } from "../src/purge/certificate-document.ts";
import { certificateProblems } from "../src/purge/index.ts";
import { problemsInChinese } from "../src/verify-page-texts.ts";
import { openedOf } from "./support/certificates.ts";
import { createWorld, fetchCertificate, neighbour, populate, purge } from "./support/purge-world.ts";
import { root } from "./support/repository.ts";
import { chromiumPath, type OpenedPage, openVerifyPage, pageUrl } from "./support/verify-page.ts";

describe("a verdict on a certificate", () => {
  it("has Chinese words for every code", () => {
    expect(Object.keys(problemsInChinese)).toEqual(expect.arrayContaining(Object.keys(certificateProblems)));
  });
});

describe.skipIf(!existsSync(chromiumPath))("somebody opens a certificate in the page", { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), "postern-page-certificate-"));
  const at = (name: string) => join(directory, name);
  let opened: OpenedPage;
  let first: string;
  let job: string;

  beforeAll(async () => {
    const world = await createWorld();
    const trust = await populate(world.gateway, { horizon: "0h" });
    const other = await populate(world.gateway, neighbour, 3);
    job = await purge(world.gateway);
    await world.gateway.keeper.tick();
    first = await fetchCertificate(world.gateway, job);
    const final = await world.gateway.call("GET", `/v1/contracts/c-test/purges/${job}/certificate?which=final`, { as: "owner-1" });
    await world.close();
    const [header = "", payload = "", signature = ""] = first.split(".");
    const stranger = await signJws(await createSigner(randomBytes(32)), certificateTyp, JSON.stringify(openedOf(first).content));
    const swapped = `${payload.slice(0, 400)}${payload[400] === "A" ? "B" : "A"}${payload.slice(401)}`;
    const files = {
      "certificate.jws": first,
      "certificate.txt": `${first}\n`,
      "final.jws": await final.text(),
      "changed.jws": [header, swapped, signature].join("."),
      "cut.jws": first.slice(0, 3_000),
      "short.jws": first.slice(0, -9),
      "empty.jws": "",
      "stranger.jws": stranger,
      "trust.json": formatTrust(trust),
      "other-trust.json": formatTrust(other),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
    opened = await openVerifyPage();
  }, 120_000);
  afterAll(async () => {
    await opened.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const verdictOn = ({ export: file, trust, seen = [] }: { export: string; trust?: string; seen?: string[] }) =>
    opened.verdictOn({ export: at(file), ...(trust !== undefined && { trust: at(trust) }), seen: seen.map(at) });
  const command = (...args: string[]): unknown => {
    const ran = spawnSync(process.execPath, [join(root, "bin/postern.mjs"), "certificate", "verify", ...args, "--json"], {
      cwd: directory,
      encoding: "utf8",
    });
    return JSON.parse(ran.stdout);
  };
  const verdict = async (): Promise<unknown> => JSON.parse((await opened.page.textContent("#json")) ?? "");

  it("reads the plain half page first, in English and in Chinese, and then every item", async () => {
    const { headline } = await verdictOn({ export: "certificate.jws", trust: "trust.json" });
    expect(headline).toBe("OK: the certificate is genuine, and the log holds what it says");
    expect(await verdict()).toEqual(command("certificate.jws", "--trust", "trust.json"));
    const { statement } = openedOf(first).content;
    const lead = opened.page.locator("#certificate .lead dd");
    const items = opened.page.locator("#certificate td.proven, #certificate td.seen, #certificate td.attested, #certificate td.unknown");
    expect(await lead.allTextContents()).toEqual(Object.values(statement).map((words) => words.en));
    expect(await opened.page.locator("#certificate h2").textContent()).toBe(texts.en.title);
    const inEnglish = await items.count();
    expect(inEnglish).toBeGreaterThan(20);
    await opened.page.click("#language");
    expect(await lead.allTextContents()).toEqual(Object.values(statement).map((words) => words["zh-CN"]));
    expect(await opened.page.locator("#certificate h2").textContent()).toBe(texts.zh.title);
    expect(await items.count()).toBe(inEnglish);
    expect(await opened.page.textContent("#headline")).toBe("通过：证明属实，所述与日志相符");
    await opened.page.click("#language");
  });

  it("may have it under any name, and hold a final one against the first", async () => {
    expect((await verdictOn({ export: "certificate.txt", trust: "trust.json" })).headline).toMatch(/^OK/);
    const alone = await verdictOn({ export: "final.jws", trust: "trust.json" });
    expect(alone.text).toContain("no: choose it under");
    expect(await verdict()).toEqual(command("final.jws", "--trust", "trust.json"));
    const held = await verdictOn({ export: "final.jws", trust: "trust.json", seen: ["certificate.jws"] });
    expect(held.text).toMatch(/Held against the first certificate\s+yes/);
    expect(await verdict()).toEqual(command("final.jws", "--trust", "trust.json", "--first", "certificate.jws"));
  });

  it.each([
    ["one byte changed", "signature", { export: "changed.jws", trust: "trust.json" }],
    ["its end cut off", "not_a_certificate", { export: "cut.jws", trust: "trust.json" }],
    ["a few characters cut off", "not_a_certificate", { export: "short.jws", trust: "trust.json" }],
    ["nothing in it", "not_a_certificate", { export: "empty.jws", trust: "trust.json" }],
    ["another key's signature", "other_key", { export: "stranger.jws", trust: "trust.json" }],
    ["another contract's trust file", "checkpoint", { export: "certificate.jws", trust: "other-trust.json" }],
    ["itself for its first", "other_first", { export: "final.jws", trust: "trust.json", seen: ["final.jws"] }],
  ])("is told what is wrong with %s, as the command says it, and is shown nothing of it", async (_what, code, files) => {
    const { headline, text } = await verdictOn(files);
    expect(headline).toBe("NOT OK");
    expect(text).toContain(`${code}: `);
    const { export: file, trust, seen = [] } = files as { export: string; trust: string; seen?: string[] };
    expect(await verdict()).toEqual(command(file, "--trust", trust, ...seen.flatMap((name) => ["--first", name])));
    expect(await opened.page.locator("#certificate").textContent()).toBe("");
    await opened.page.click("#language");
    expect(await opened.page.innerText("#problems")).toContain(problemsInChinese[code as keyof typeof certificateProblems]);
    await opened.page.click("#language");
  });

  it("is told what to choose where something is missing", async () => {
    expect((await verdictOn({ export: "certificate.jws" })).headline).toBe("A certificate is judged by your trust file: choose it");
    const both = ["certificate.jws", "trust.json"];
    expect((await verdictOn({ export: "final.jws", trust: "trust.json", seen: both })).headline).toMatch(/^Choose one file/);
    expect((await verdictOn({ export: "certificate.jws", trust: "final.jws" })).headline).toMatch(/^This file cannot be used: trust file/);
  });

  it("asked nothing of anybody but the file itself, and broke none of its own rules", () => {
    expect(opened.asked).toEqual([pageUrl]);
    expect(opened.complaints).toEqual([]);
  });
});
