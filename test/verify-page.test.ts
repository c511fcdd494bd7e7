/** The verifier as a page, in a real browser, from a file, without a network. Skipped where there is no Chromium. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPage, digestOf, pageFile } from "../scripts/build-page.ts";
import { formatTrust } from "../src/audit/trust.ts";
import { exportBytes, LogBuilder } from "./support/log-builder.ts";
import { root } from "./support/repository.ts";
import { editBundle, entryAt, flip } from "./support/tampering.ts";
import { chromiumPath, type OpenedPage, openVerifyPage, pageUrl } from "./support/verify-page.ts";

describe("the page that verifies", () => {
  it("is the one that its source gives: npm run page", async () => {
    expect((await buildPage()) === readFileSync(pageFile, "utf8")).toBe(true);
  });

  it("is what the command prints", () => {
    const printed = spawnSync(process.execPath, [join(root, "bin/postern.mjs"), "audit", "page"], { encoding: "utf8" });
    expect(printed.stdout === readFileSync(pageFile, "utf8")).toBe(true);
  });

  it("names in its policy the one script and the one style that it holds, and no source of anything", () => {
    const html = readFileSync(pageFile, "utf8");
    const [, script = ""] = /<script>(.*?)<\/script>/s.exec(html) ?? [];
    const [, style = ""] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
    const [, policy = ""] = /<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(html) ?? [];
    expect(policy).toBe(
      `default-src 'none'; script-src 'sha256-${digestOf(script)}'; style-src 'sha256-${digestOf(style)}'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'`,
    );
    expect(html.match(/<(script|style|link|img|iframe|object|embed)\b/g)).toEqual(["<style", "<script"]);
  });
});

describe.skipIf(!existsSync(chromiumPath))("somebody opens the page in a browser", { timeout: 60_000 }, () => {
  let opened: OpenedPage;
  let directory: string;
  const put = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(join(directory, name), bytes);
    return join(directory, name);
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "postern-page-"));
    const log = await LogBuilder.ofSize(600);
    put("log.tar", await exportBytes(log.rows, log.trust));
    put("trust.json", formatTrust(log.trust));
    put("checkpoint.txt", await (await LogBuilder.ofSize(700)).publish());
    const rows = log.copy();
    editBundle(rows, 307, (entries, at) => entries.with(at, flip(entryAt(rows, 307), 40)));
    put("tampered.tar", await exportBytes(rows, log.trust));
    put("cut.tar", (await exportBytes(log.rows, log.trust)).subarray(0, 100_000));
    opened = await openVerifyPage();
  }, 120_000);
  afterAll(async () => {
    await opened.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const verdictOn = (files: { export: string; trust?: string; seen?: string }) =>
    opened.verdictOn({
      export: join(directory, files.export),
      ...(files.trust !== undefined && { trust: join(directory, files.trust) }),
      ...(files.seen !== undefined && { seen: join(directory, files.seen) }),
    });

  it("is told that a whole export is whole", async () => {
    const { headline, text } = await verdictOn({ export: "log.tar", trust: "trust.json" });
    expect(headline).toBe("OK: the log is whole");
    expect(text).toContain("600");
    expect(await opened.page.isHidden("#problems")).toBe(true);
  });

  it("is told which entry was changed, and why it is a bad one", async () => {
    const { headline, text } = await verdictOn({ export: "tampered.tar", trust: "trust.json" });
    expect(headline).toBe("NOT OK");
    expect(text).toMatch(/First bad entry\s+307/);
    expect(text).toContain("entry_changed: the entry's bytes do not give the stored leaf hash");
    await opened.page.click("#language");
    expect(await opened.page.innerText("#verdict")).toMatch(/第一条有问题的记录\s+307/);
    expect(await opened.page.innerText("#verdict")).toContain("记录被改动");
    await opened.page.click("#language");
  });

  it("is told what is missing: the keys, an archive's end, an export at all, what somebody kept", async () => {
    expect((await verdictOn({ export: "log.tar" })).headline).toMatch(/^Consistent, but the keys are not pinned/);
    expect((await verdictOn({ export: "cut.tar", trust: "trust.json" })).text).toContain("the archive is cut short after 100000 bytes");
    expect((await verdictOn({ export: "trust.json", trust: "trust.json" })).text).toContain("this is not a tar archive");
    expect((await verdictOn({ export: "log.tar", trust: "log.tar" })).headline).toMatch(/^This file cannot be used: trust file/);
    const { text } = await verdictOn({ export: "log.tar", trust: "trust.json", seen: "checkpoint.txt" });
    expect(text).toContain("seen_missing: seen 1: the log had 700 entries, the export has 600");
  });

  it("asked nothing of anybody but the file itself, and broke none of its own rules", () => {
    expect(opened.asked).toEqual([pageUrl]);
    expect(opened.complaints).toEqual([]);
  });
});
