/** The verifying page in a real browser, from a file, without a network. */
import { pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";
import { pageFile } from "../../scripts/build-page.ts";

/** Tests are skipped where it is not there. */
export const chromiumPath = "/usr/bin/chromium";
export const pageUrl = pathToFileURL(pageFile.pathname).href;

export const chromiumFlags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export interface OpenedPage {
  readonly page: Page;
  /** Every address that it asked for. */
  readonly asked: readonly string[];
  readonly complaints: readonly string[];
  /** Paths of the files to choose; what is not named is chosen no more. */
  verdictOn(files: { export: string; trust?: string; seen?: string | string[] }): Promise<{ headline: string | null; text: string }>;
  close(): Promise<void>;
}

export async function openVerifyPage(): Promise<OpenedPage> {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumFlags });
  const context = await browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const [asked, complaints]: [string[], string[]] = [[], []];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(pageUrl);
  return {
    page,
    asked,
    complaints,
    async verdictOn(files) {
      for (const kind of ["export", "trust", "seen"] as const) await page.setInputFiles(`#${kind}`, files[kind] ?? []);
      await page.click("#verify");
      await page.waitForSelector("#verdict:not([hidden])", { timeout: 30_000 });
      return { headline: await page.textContent("#headline"), text: await page.innerText("#verdict") };
    },
    close: () => browser.close(),
  };
}
