/** A Markdown text's fenced blocks, in order. */

export interface Fence {
  /** Of the line that opens it: `sh`, `yaml`. */
  readonly language: string;
  /** What follows it there: the file that the block is. Empty where there is none. */
  readonly file: string;
  readonly text: string;
  /** 1-based line that opens it. */
  readonly line: number;
}

/** Throws on a fence that does not close. */
export function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = [];
  let open: { language: string; file: string; line: number; lines: string[] } | null = null;
  markdown.split("\n").forEach((text, i) => {
    if (open && text === "```") {
      fences.push({ language: open.language, file: open.file, line: open.line, text: open.lines.map((line) => `${line}\n`).join("") });
      open = null;
    } else if (open) open.lines.push(text);
    else if (text.startsWith("```")) {
      const [language = "", file = ""] = text.slice(3).split(" ");
      open = { language, file, line: i + 1, lines: [] };
    }
  });
  if (open) throw new Error("the last block does not close");
  return fences;
}

/** A line as documents show it: `…` stands for anything on that line. */
export function shownAs(line: string): RegExp {
  return new RegExp(line.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("…", "[^\\n]*"));
}
