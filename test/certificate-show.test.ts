/** What people are given to read: the same view as text, as a page and as a PDF, in both languages, and nothing in it that was not signed. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PDFDocument, PDFName, PDFRawStream } from "@cantoo/pdf-lib";
import * as fontkit from "fontkit";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatTrust } from "../src/audit/trust.ts";
import { certificateHtml } from "../src/cli/certificate-html.ts";
import { certificatePdf } from "../src/cli/certificate-pdf.ts";
import { type View, viewOf } from "../src/cli/certificate-view.ts";
import { codeWords, texts } from "../src/cli/certificate-words.ts";
import { wrap } from "../src/cli/pdf-wrap.ts";
import type { OpenedCertificate } from "../src/purge/index.ts";
import { dyingStores } from "../src/purge/plan.ts";
import { openedOf } from "./support/certificates.ts";
import { createWorld, fetchCertificate, populate, purge } from "./support/purge-world.ts";
import { root } from "./support/repository.ts";

const chromiumPath = "/usr/bin/chromium";
const directory = mkdtempSync(join(tmpdir(), "postern-show-"));
const digest = `sha256:${"0".repeat(64)}`;
let first: OpenedCertificate;
let final: OpenedCertificate;
let views: View[];

beforeAll(async () => {
  const world = await createWorld();
  const trust = await populate(world.gateway, { horizon: "0h" });
  const job = await purge(world.gateway);
  await world.gateway.keeper.tick();
  const path = `/v1/contracts/c-test/purges/${job}/certificate?which=final`;
  const texts = [await fetchCertificate(world.gateway, job), await (await world.gateway.call("GET", path, { as: "owner-1" })).text()];
  ["certificate.jws", "final.jws"].forEach((name, i) => void writeFileSync(join(directory, name), texts[i] ?? ""));
  writeFileSync(join(directory, "trust.json"), formatTrust(trust));
  await world.close();
  [first, final] = [openedOf(texts[0] ?? ""), openedOf(texts[1] ?? "")];
  views = [first, final].flatMap((opened) =>
    (["zh", "en"] as const).map((language) => viewOf({ opened, digest, verified: true }, language)),
  );
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function postern(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/postern.mjs"), ...args], {
    cwd: directory,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** Every text that a view would print. */
function printed({ title, standing, lead, facts, items, annex }: View): string[] {
  const rows = [facts, ...annex.parts].flatMap((part) => [part.heading, ...part.rows.flat()]);
  return [title, standing.text, ...lead.flatMap(({ heading, text }) => [heading, text]), ...rows, ...items.rows.flatMap(Object.values)];
}

describe("a certificate for people", () => {
  it("begins with what was deleted, what could not be, and until when copies may exist, in the signed words", () => {
    expect(views[0]?.lead.map(({ heading }) => heading)).toEqual(["已删除的内容", "无法删除的内容", "副本最迟存在至何时"]);
    expect(views[1]?.lead.map(({ text }) => text)).toEqual(Object.values(first.content.statement).map((words) => words.en));
  });

  it("has a level of assurance for every item, and words of both languages for every code", () => {
    for (const { items } of views) expect(items.rows.every(({ assurance }) => assurance !== "")).toBe(true);
    expect(Object.keys(codeWords.zh)).toEqual(Object.keys(codeWords.en));
    expect(Object.keys(texts.zh)).toEqual(Object.keys(texts.en));
    const [chinese] = views;
    const inLatin = chinese?.items.rows.filter(({ item }) => !/[\u4e00-\u9fff]/.test(item)).map(({ item }) => item);
    expect(inLatin).toEqual(dyingStores);
  });

  it("is printed by the command as text, page and PDF, verified first", { timeout: 90_000 }, () => {
    const shown = postern("certificate", "show", "certificate.jws", "--trust", "trust.json", "--lang", "en");
    expect(shown.stdout).toMatch(/^Certificate of Destruction\nVerified against the trust file/);
    const files = ["--html", "c.html", "--pdf", "c.pdf"];
    expect(postern("certificate", "show", "final.jws", "--trust", "trust.json", ...files).status).toBe(0);
    expect(readFileSync(join(directory, "c.html"), "utf8")).toContain("数据清除最终证明");
    expect(readFileSync(join(directory, "c.pdf")).subarray(0, 5).toString()).toBe("%PDF-");
    const unverified = postern("certificate", "show", "certificate.jws");
    expect([unverified.status, unverified.stderr]).toEqual([0, "not verified: say --trust FILE\n"]);
    expect(unverified.stdout).toContain("制作本文时未核验");
  });

  it("is not printed where it does not verify, or is none", { timeout: 90_000 }, () => {
    writeFileSync(join(directory, "cut.jws"), readFileSync(join(directory, "certificate.jws")).subarray(0, -9));
    writeFileSync(join(directory, "none.jws"), "a.b.c");
    const cut = postern("certificate", "show", "cut.jws", "--trust", "trust.json", "--html", "cut.html");
    expect([cut.status, cut.stderr]).toEqual([1, expect.stringContaining("not_a_certificate")]);
    expect(existsSync(join(directory, "cut.html"))).toBe(false);
    expect(postern("certificate", "show", "none.jws").status).toBe(2);
  });
});

describe("the PDF", () => {
  it("has a glyph for every character, in fonts that lie in it", async () => {
    const file = new URL("../fonts/NotoSansHans-Regular.otf", import.meta.resolve("@embedpdf/fonts-sc"));
    const font = fontkit.create(readFileSync(file)) as unknown as { hasGlyphForCodePoint(point: number): boolean };
    const characters = new Set(views.flatMap(printed).join("").replaceAll("\n", ""));
    expect([...characters].filter((character) => !font.hasGlyphForCodePoint(character.codePointAt(0) ?? 0))).toEqual([]);
    const document = await PDFDocument.load(await certificatePdf(views, digest));
    const fontFiles = document.context
      .enumerateIndirectObjects()
      .filter(([, object]) => object instanceof PDFRawStream && object.dict.get(PDFName.of("Subtype")) === PDFName.of("CIDFontType0C"));
    expect(fontFiles).toHaveLength(2);
    expect(document.getPageCount()).toBeGreaterThanOrEqual(6);
    expect(document.getPages().every((page) => Math.round(page.getWidth()) === 595)).toBe(true);
  });

  it("breaks lines where Chinese and Latin text may break, and a digest where it must", () => {
    const widthOf = (text: string) => [...text].reduce((sum, character) => sum + (character > "\u2e80" ? 2 : 1), 0);
    expect(wrap("合同已清除，密钥已销毁。", 10, widthOf)).toEqual(["合同已清", "除，密钥已", "销毁。"]);
    expect(wrap("keys were destroyed here", 10, widthOf)).toEqual(["keys were", "destroyed", "here"]);
    expect(wrap("x sha256:0123456789", 10, widthOf)).toEqual(["x", "sha256:012", "3456789"]);
    expect(wrap("", 10, widthOf)).toEqual([""]);
  });
});

describe("the page", () => {
  it("shows what somebody wrote as text, and no mark that reorders it", () => {
    if (first.kind !== "first") throw new Error("not the first");
    const content = { ...first.content, merchant: '<img src="x" onerror=alert(1)>\u202e' };
    const html = certificateHtml([viewOf({ opened: { kind: "first", content }, digest, verified: false }, "en")]);
    expect(html).not.toContain("<img");
    expect(html).not.toContain("\u202e");
    expect(html.match(/<(script|style|link|img|iframe|object|embed)\b/g)).toEqual(["<style"]);
  });

  it.skipIf(!existsSync(chromiumPath))("loads nothing, complains of nothing, and prints on A4", { timeout: 60_000 }, async () => {
    const file = join(directory, "page.html");
    writeFileSync(file, certificateHtml(views));
    const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
    const browser = await chromium.launch({ executablePath: chromiumPath, args: flags });
    try {
      const page = await browser.newPage();
      const [asked, complaints]: [string[], string[]] = [[], []];
      page.on("request", (request) => asked.push(request.url()));
      page.on("console", (message) => complaints.push(message.text()));
      await page.goto(pathToFileURL(file).href);
      expect(await page.locator("h1").allTextContents()).toEqual(views.map(({ title }) => title));
      expect(
        await page
          .locator("article")
          .first()
          .evaluate((node) => getComputedStyle(node).maxWidth),
      ).not.toBe("none");
      const printedPage = await PDFDocument.load(await page.pdf({ preferCSSPageSize: true }));
      expect(Math.round(printedPage.getPages()[0]?.getHeight() ?? 0)).toBe(842);
      expect([asked, complaints]).toEqual([[pathToFileURL(file).href], []]);
    } finally {
      await browser.close();
    }
  });
});
