/**
 * Text before it is masked: one width, one composition, nothing invisible.
 */

/** Longer values are no name, phone or address: they come out as stars, and no pattern runs over them. */
const maskedCharactersMax = 512;

/** Nothing in it that NFKC, stripping or collapsing would change: most values. */
const tidyAlready = /^[!-~\u4e00-\u9fff]+(?: [!-~\u4e00-\u9fff]+)*$/;
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** NFKC, without controls and format characters (bidi overrides, zero-width joiners), spaces collapsed. `null` = longer than anything of a class. */
export function tidyText(text: string): string | null {
  if (text.length > maskedCharactersMax) return null;
  if (tidyAlready.test(text)) return text;
  return text.normalize("NFKC").replace(invisible, "").replace(/\s+/g, " ").trim();
}

/** NFKC, trimmed, case-folded; `null` when nothing is left. */
export function foldText(text: string): string | null {
  const folded = text.normalize("NFKC").trim().toLowerCase();
  return folded === "" ? null : folded;
}

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/** User-perceived characters: never half of 𠮷, never a letter without its accent. */
export function graphemes(text: string): string[] {
  if (tidyAlready.test(text)) return [...text];
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
