/** A4 sheets written from top to bottom: text that wraps, tables whose rows stay whole, a foot on every page. */
import { type PDFDocument, type PDFFont, type PDFPage, rgb } from "@cantoo/pdf-lib";
import { wrap } from "./pdf-wrap.ts";

const page = { width: 595.28, height: 841.89, margin: 50, foot: 12 } as const;
const leading = 1.45;
/** Of the line's height, what lies under the letters' feet. */
const descent = 0.3;
/** A heading does not end a page: room for a row under it. */
const keptUnderHeading = 40;

export const inks = { black: rgb(0.11, 0.14, 0.19), grey: rgb(0.35, 0.39, 0.46), green: rgb(0.07, 0.45, 0.25), amber: rgb(0.54, 0.35, 0) };
const lineInk = rgb(0.85, 0.87, 0.91);

export interface Fonts {
  readonly regular: PDFFont;
  readonly bold: PDFFont;
}

export interface Style {
  readonly size: number;
  readonly bold?: boolean;
  readonly ink?: ReturnType<typeof rgb>;
  /** Above. */
  readonly gap?: number;
}

export interface Cell {
  readonly text: string;
  readonly style: Style;
  /** Share of the width. */
  readonly share: number;
}

export interface Sheets {
  /** The next text begins a page. */
  startPage(): void;
  text(text: string, style: Style): void;
  /** A rule above, and the cells side by side. */
  row(cells: readonly Cell[]): void;
  /** `text` for each page, with its number and how many there are. Once, at the end. */
  foot(textOf: (number: number, of: number) => string): void;
}

export function createSheets(document: PDFDocument, { regular, bold }: Fonts): Sheets {
  const pages: PDFPage[] = [];
  const width = page.width - 2 * page.margin;
  let y = 0;
  const fontOf = (style: Style) => (style.bold ? bold : regular);
  const startPage = () => {
    pages.push(document.addPage([page.width, page.height]));
    y = page.height - page.margin;
  };
  /** So that `height` fits under what stands already. */
  const reserve = (height: number) => {
    if (pages.length === 0 || y - height < page.margin + page.foot) startPage();
  };
  const linesOf = (text: string, style: Style, room: number) =>
    wrap(printable(text), room, (part) => fontOf(style).widthOfTextAtSize(part, style.size));
  const drawLine = (text: string, style: Style, at: { x: number; y: number }) =>
    pages.at(-1)?.drawText(text, { ...at, size: style.size, font: fontOf(style), color: style.ink ?? inks.black });

  return {
    startPage,
    text(text, style) {
      const lines = linesOf(text, style, width);
      reserve((style.gap ?? 0) + Math.min(lines.length, 3) * style.size * leading + (style.bold ? keptUnderHeading : 0));
      y -= style.gap ?? 0;
      for (const line of lines) {
        reserve(style.size * leading);
        y -= style.size * leading;
        drawLine(line, style, { x: page.margin, y: y + descent * style.size });
      }
    },
    row(cells) {
      const gutter = 10;
      const laid = cells.map((cell) => ({ ...cell, lines: linesOf(cell.text, cell.style, cell.share * width - gutter) }));
      const height = Math.max(...laid.map(({ lines, style }) => lines.length * style.size * leading)) + 7;
      reserve(height);
      pages.at(-1)?.drawLine({ start: { x: page.margin, y }, end: { x: page.margin + width, y }, thickness: 0.5, color: lineInk });
      let x = page.margin;
      for (const { lines, style, share } of laid) {
        lines.forEach((line, i) => void drawLine(line, style, { x, y: y - 3 - (i + 0.8) * style.size * leading }));
        x += share * width;
      }
      y -= height;
    },
    foot(textOf) {
      const style = { size: 7.5, ink: inks.grey } as const;
      pages.forEach((sheet, i) => {
        const text = printable(textOf(i + 1, pages.length));
        sheet.drawText(text, { x: page.margin, y: page.margin - 14, size: style.size, font: regular, color: style.ink });
      });
    },
  };
}

/** Marks that reorder text would make a line say what it does not. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]|\p{Cf}/gu, "\ufffd");
}
