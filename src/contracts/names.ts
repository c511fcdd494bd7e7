/** What a person may be called: no name that hides letters of another alphabet in a word, none that a spreadsheet would run. */

const latin = "\\p{Script=Latin}\\p{M}*";
/** Letters of alphabets whose words are never written together with Latin ones, unlike 小满Lin. */
const foreign =
  "(?![\\p{Script=Latin}\\p{Script=Common}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}])\\p{L}\\p{M}*";
const twoAlphabets = new RegExp(`${latin}${foreign}|${foreign}\\p{Script=Latin}`, "u");
const formulaStart = /^\s*[=+\-@\t\r]/u;
/** Providers name people in base64url, which may begin with a hyphen and calls no function. */
const hyphenated = /^-[\w-]+$/;

/** U+FFFD stands where a program met bytes that it could not read. */
export const visible = /^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}\ufffd]+$/u;

/** `null` = nothing is wrong with it. */
export function faultOfSubject(subject: string): "mixed_alphabets" | "formula" | null {
  if (twoAlphabets.test(subject.normalize("NFKC"))) return "mixed_alphabets";
  return startsFormula(subject) && !hyphenated.test(subject) ? "formula" : null;
}

/** In full width, too: spreadsheets take ＝ for =. */
export function startsFormula(text: string): boolean {
  return formulaStart.test(text.normalize("NFKC"));
}
