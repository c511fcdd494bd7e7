/**
 * A certificate as a PDF that needs nothing of its reader: the glyphs it uses lie in it (decision 0024). The font is an optional package, because
 * a gateway that serves has no use for it.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { PDFDocument, type PDFFont } from "@cantoo/pdf-lib";
import * as fontkit from "fontkit";
import type { NamedValue, View } from "./certificate-view.ts";
import { exitCodes, Failure } from "./failure.ts";
import { createSheets, type Fonts, inks, type Sheets } from "./pdf-sheet.ts";

const fontPackage = "@embedpdf/fonts-sc";
/** Technical rows hold digests; the rest is for reading. */
const sizes = { title: 22, lead: 12, heading: 12.5, body: 9.5, small: 8 } as const;

/** `digest`: of the signed text, in every page's foot. */
export async function certificatePdf(views: readonly View[], digest: string): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  document.registerFontkit(fontkit);
  document.setTitle(views.map(({ title }) => title).join(" · "), { showInWindowTitleBar: true });
  document.setLanguage(views[0]?.tag ?? "en");
  document.setProducer("Postern");
  const sheets = createSheets(document, await embedFonts(document));
  for (const view of views) {
    sheets.startPage();
    drawView(sheets, view);
  }
  sheets.foot((number, of) => `${digest}  ·  ${number} / ${of}`);
  return document.save();
}

/** Throws Failure where the font's package was left out of the installation. */
async function embedFonts(document: PDFDocument): Promise<Fonts> {
  const embed = async (weight: string): Promise<PDFFont> => {
    const file = new URL(`../fonts/NotoSansHans-${weight}.otf`, fontPackageUrl());
    // Ligatures would leave glyphs out of the subset.
    return document.embedFont(await readFile(fileURLToPath(file)), { subset: true, features: { liga: false } });
  };
  return { regular: await embed("Regular"), bold: await embed("Bold") };
}

function fontPackageUrl(): string {
  try {
    return import.meta.resolve(fontPackage);
  } catch {
    throw new Failure(`no font: ${fontPackage} is not installed (npm ci --include=optional); --html needs none`, exitCodes.usage);
  }
}

function drawView(sheets: Sheets, { title, standing, lead, howTo, facts, items, annex }: View): void {
  sheets.text(title, { size: sizes.title, bold: true });
  sheets.text(standing.text, { size: sizes.body, ink: standing.ok ? inks.green : inks.amber, gap: 4 });
  for (const { heading, text } of lead) {
    sheets.text(heading, { size: sizes.lead, bold: true, gap: 12 });
    sheets.text(text, { size: sizes.lead, gap: 2 });
  }
  sheets.text(`${howTo.text} ${howTo.command}`, { size: sizes.small, ink: inks.grey, gap: 10 });
  sheets.text(facts.heading, { size: sizes.heading, bold: true, gap: 16 });
  drawRows(sheets, facts.rows, sizes.body);
  sheets.text(items.heading, { size: sizes.heading, bold: true, gap: 16 });
  const grey = { size: sizes.small, ink: inks.grey };
  const [item, what, assurance] = items.columns;
  sheets.row([
    { text: item, style: grey, share: 0.29 },
    { text: what, style: grey, share: 0.51 },
    { text: assurance, style: grey, share: 0.2 },
  ]);
  for (const row of items.rows) {
    const firm = row.level === "cryptographically proven" || row.level === "system-verified";
    sheets.row([
      { text: row.item, style: { size: sizes.body }, share: 0.29 },
      { text: row.what, style: { size: sizes.body }, share: 0.51 },
      { text: row.assurance, style: { size: sizes.body, bold: true, ink: firm ? inks.green : inks.amber }, share: 0.2 },
    ]);
  }
  sheets.text(items.note, { ...grey, gap: 6 });
  sheets.text(annex.heading, { size: sizes.heading, bold: true, gap: 16 });
  for (const { heading, rows } of annex.parts) {
    sheets.text(heading, { size: sizes.body, bold: true, gap: 8 });
    drawRows(sheets, rows, sizes.small);
  }
}

function drawRows(sheets: Sheets, rows: readonly NamedValue[], size: number): void {
  for (const [name, value] of rows) {
    sheets.row([
      { text: name, style: { size, ink: inks.grey }, share: 0.3 },
      { text: value, style: { size }, share: 0.7 },
    ]);
  }
}
