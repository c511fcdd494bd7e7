/**
 * The verdict on a purge's certificate, for the page: the one that `postern certificate verify` gives, by the same function. What does not verify is
 * not shown, as the command shows it to nobody.
 */
import type { Trust } from "./audit/index.ts";
import { levelClasses, type NamedValue, type View, viewOf, visible } from "./cli/certificate-view.ts";
import { verifySignature } from "./crypto/index.ts";
import { type CertificateVerdict, certificateDigest, type OpenedCertificate, peekCertificate, verifyCertificate } from "./purge/index.ts";
import { type InLanguage, node, noVerdict, type Report } from "./verify-page-report.ts";
import { type Language, problemsInChinese, texts } from "./verify-page-texts.ts";

const sniffedBytes = 1_024;

/** Whatever calls itself one is judged as one, and so is a text of its alphabet: no archive is. */
export async function isCertificate(file: File): Promise<boolean> {
  return /\.jws$/i.test(file.name) || /^[\s\w.-]+$/.test(await file.slice(0, sniffedBytes).text());
}

export interface CertificateToJudge {
  readonly file: File;
  readonly trust: Trust | null;
  /** For a final certificate: the first. */
  readonly seen: readonly string[];
}

export async function judgeCertificate({ file, trust, seen }: CertificateToJudge): Promise<InLanguage> {
  if (trust === null) return noVerdict("trustNeeded");
  const [first = null, ...more] = seen;
  if (more.length > 0) return noVerdict("oneFirst");
  const jws = await file.text();
  const verdict = await verifyCertificate(jws, trust, verifySignature, first);
  const opened = peekCertificate(jws);
  const shown = verdict.ok && opened.ok ? { opened: opened.value, digest: certificateDigest(jws.trim()) } : null;
  return (language) => reportOn(verdict, shown, language);
}

function reportOn(
  verdict: CertificateVerdict,
  shown: { readonly opened: OpenedCertificate; readonly digest: string } | null,
  language: Language,
): Report {
  const said = texts[language];
  const problems = verdict.problems.map(({ code, reason }) => ({
    place: said.certificate,
    what: language === "zh" ? `${problemsInChinese[code]} · ${code}: ${visible(reason)}` : `${code}: ${visible(reason)}`,
  }));
  return {
    state: verdict.ok ? "good" : "bad",
    headline: verdict.ok ? said.certificateOk : said.notOk,
    facts: factsOf(verdict, language),
    problems,
    shown: shown === null ? [] : nodesOf(viewOf({ ...shown, verified: true }, language)),
    verdict,
  };
}

function factsOf({ kind, contract, job, heldAgainstFirst }: CertificateVerdict, language: Language): NamedValue[] {
  const said = texts[language];
  if (kind === null) return [];
  return [
    [said.kind, said[kind]],
    [said.contract, visible(contract ?? "")],
    [said.job, visible(job ?? "")],
    ...(kind === "final" ? [[said.againstFirst, heldAgainstFirst ? said.yes : said.no] as const] : []),
  ];
}

function nodesOf({ title, lead, howTo, facts, items, annex }: View): HTMLElement[] {
  return [
    shownText("h2", title),
    node(
      "dl",
      lead.flatMap(({ heading, text }) => [shownText("dt", heading), shownText("dd", text)]),
      "lead",
    ),
    node("p", [shownText("span", `${howTo.text} `), shownText("code", howTo.command)]),
    shownText("h3", facts.heading),
    rowsOf(facts.rows),
    shownText("h3", items.heading),
    node("table", [
      node("thead", [
        node(
          "tr",
          items.columns.map((column) => shownText("th", column)),
        ),
      ]),
      node(
        "tbody",
        items.rows.map(({ item, what, level, assurance }) =>
          node("tr", [shownText("td", item), shownText("td", what), shownText("td", assurance, levelClasses[level])]),
        ),
      ),
    ]),
    shownText("p", items.note),
    node("details", [
      shownText("summary", annex.heading),
      ...annex.parts.flatMap(({ heading, rows }) => [shownText("h3", heading), rowsOf(rows)]),
    ]),
  ];
}

function rowsOf(rows: readonly NamedValue[]): HTMLElement {
  return node(
    "table",
    rows.map(([name, value]) => node("tr", [shownText("td", name), shownText("td", value)])),
  );
}

function shownText(tag: keyof HTMLElementTagNameMap, text: string, className?: string): HTMLElement {
  return node(tag, visible(text), className);
}
