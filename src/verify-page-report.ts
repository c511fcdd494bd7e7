/** What the verifier's page says of a verdict, in the language of whoever reads it now. */
import { type Language, texts } from "./verify-page-texts.ts";

export interface Report {
  readonly state: "good" | "warn" | "bad";
  readonly headline: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly problems: readonly { readonly place: string; readonly what: string }[];
  /** What was verified, where it is shown at all. */
  readonly shown: readonly HTMLElement[];
  /** `null` = there is no verdict. */
  readonly verdict: unknown;
}

/** The reader may change the language after the verdict. */
export type InLanguage = (language: Language) => Report;

/** Why there is no verdict. */
export function noVerdict(why: "unusable" | "noEd25519" | "trustNeeded" | "oneFirst", detail?: string): InLanguage {
  return (language) => {
    const headline = detail === undefined ? texts[language][why] : `${texts[language][why]}: ${detail}`;
    return { state: "bad", headline, facts: [], problems: [], shown: [], verdict: null };
  };
}

/** What somebody wrote is only ever text. */
export function node(tag: keyof HTMLElementTagNameMap, content: string | readonly HTMLElement[], className = ""): HTMLElement {
  const made = document.createElement(tag);
  if (typeof content === "string") made.textContent = content;
  else made.append(...content);
  if (className !== "") made.className = className;
  return made;
}
