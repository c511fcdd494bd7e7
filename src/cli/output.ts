/** What commands print: results on standard output, everything else on standard error. Colour only on a terminal and without NO_COLOR. */
import { styleText } from "node:util";

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The command that usually follows. */
export function suggest(...commands: readonly string[]): void {
  for (const command of commands) note(`${styleText("dim", "next:", { stream: process.stderr })} ${command}`);
}

/** Columns padded to their widest cell. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A text from elsewhere, without what a terminal would obey. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "\ufffd");
}
