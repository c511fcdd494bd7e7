/**
 * A certificate as people read it: half a page of plain sentences, then every item with its level of assurance, then the technical annex. Pure; the
 * pages and the PDF print the same view.
 */
import type { Assurance, Certificate, FinalCertificate, OpenedCertificate } from "../purge/index.ts";
import { assuranceWords, codeWords, type Language, texts } from "./certificate-words.ts";

export interface View {
  readonly language: Language;
  /** Of the document, as HTML has it. */
  readonly tag: string;
  readonly title: string;
  readonly standing: { readonly ok: boolean; readonly text: string };
  readonly lead: readonly { readonly heading: string; readonly text: string }[];
  readonly howTo: { readonly text: string; readonly command: string };
  readonly facts: { readonly heading: string; readonly rows: readonly NamedValue[] };
  readonly items: {
    readonly heading: string;
    readonly columns: readonly [string, string, string];
    readonly rows: readonly Item[];
    readonly note: string;
  };
  readonly annex: {
    readonly heading: string;
    readonly parts: readonly { readonly heading: string; readonly rows: readonly NamedValue[] }[];
  };
}

/** The style class of each level, in both pages. */
export const levelClasses = {
  "cryptographically proven": "proven",
  "system-verified": "seen",
  "attested by the vendor": "attested",
  unknown: "unknown",
} as const satisfies Record<Assurance, string>;

/** A text as a page may show it: marks that reorder text would make a line say what it does not. */
export function visible(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]|\p{Cf}/gu, "\ufffd");
}

export type NamedValue = readonly [name: string, value: string];

export interface Item {
  readonly item: string;
  readonly what: string;
  readonly level: Assurance;
  readonly assurance: string;
}

export interface Shown {
  readonly opened: OpenedCertificate;
  /** `sha256:…` of the signed text. */
  readonly digest: string;
  /** Under the reader's trust file, when this is made. */
  readonly verified: boolean;
}

export function viewOf({ opened, digest, verified }: Shown, language: Language): View {
  const said = texts[language];
  const isFinal = opened.kind === "final";
  const body = opened.kind === "final" ? finalView(opened.content, language) : firstView(opened.content, language);
  return {
    language,
    tag: said.html,
    title: isFinal ? said.finalTitle : said.title,
    standing: { ok: verified, text: verified ? said.verified : said.notVerified },
    ...body,
    howTo: {
      text: said.howTo,
      command: `npx postern certificate verify ${isFinal ? "final.jws --first certificate.jws" : "certificate.jws"} --trust trust.json`,
    },
    annex: { heading: said.annex, parts: [...body.annex.parts, { heading: said.digest, rows: [[said.digest, digest]] }] },
  };
}

type Body = Pick<View, "lead" | "facts" | "items" | "annex">;

function firstView(content: Certificate, language: Language): Body {
  const said = texts[language];
  const spoken = language === "zh" ? "zh-CN" : "en";
  const { statement, contract, merchant, vendor, job, basis, law, order, agreement } = content;
  return {
    lead: (["deleted", "remains", "copies"] as const).map((name) => ({ heading: said[name], text: statement[name][spoken] })),
    facts: {
      heading: said.partiesHeading,
      rows: [
        [said.contract, contract],
        [said.merchant, merchant],
        [said.vendor, vendor],
        [said.term, `${timeWords(agreement.starts_at)} – ${timeWords(agreement.ends_at)}`],
        [said.basis, codeWords[language][basis] ?? basis],
        [said.requested, `${order.requested_by.issuer}/${order.requested_by.subject}`],
        [said.approved, `${order.approved_by.issuer}/${order.approved_by.subject}`],
        [said.job, job],
        [said.law, law.join(language === "zh" ? "、" : ", ")],
      ],
    },
    items: itemsTable(firstItems(content, language), language),
    annex: { heading: said.annex, parts: annexOf(content, language) },
  };
}

function firstItems(content: Certificate, language: Language): Item[] {
  const { scope, times, shares, methods, attestations, residuals, returned, holds, key_services, exceptions, verification, assurance } =
    content;
  const word = (code: string) => codeWords[language][code] ?? code;
  const item = itemIn(language);
  const whenOf: Readonly<Record<string, string | undefined>> = {
    share_a: times.share_a,
    share_b: times.share_b,
    cached_keys: times.fenced,
  };
  return [
    item(word("scope"), `${scope.records} / ${scope.subjects}`, assurance.scope),
    ...methods.map(({ store, method, assurance: level }) => {
      const when = whenOf[store];
      const counted = scope.before[store];
      const detail = when !== undefined ? `, ${timeWords(when)}` : counted !== undefined ? `: ${counted} → ${scope.after[store] ?? 0}` : "";
      return item(word(store), `${word(method)}${detail}`, level);
    }),
    ...shares.flatMap(({ share, state, assurance: level }) => (share === "C" ? [item(word("share_c"), word(state), level)] : [])),
    ...key_services.map(({ service, key, effective_at, assurance: level }) => item(service, `${key}, ${timeWords(effective_at)}`, level)),
    ...(key_services.length === 0 ? [item(word("key_services"), word("none"), assurance.agreement)] : []),
    item(word("returned"), [word(returned.state), returned.digest ?? ""].filter((text) => text !== "").join(", "), returned.assurance),
    ...attestations.map(({ system, state, statement, assurance: level }) =>
      item(`${word("attestation")} ${system}`, statement === null ? word(state) : `${word(state)}, ${statement}`, level),
    ),
    ...residuals.map(({ what, until, assurance: level }) => item(word(what), `${word("may_exist_until")} ${timeWords(until)}`, level)),
    ...holds.map(({ scope: over, basis, state }) => item(word("holds"), `${word(over)}: ${word(basis)}, ${word(state)}`, assurance.holds)),
    ...(holds.length === 0 ? [item(word("holds"), word("none"), assurance.holds)] : []),
    ...exceptions.map(({ what, assurance: level }) => item(word(what), word("cannot_be_recalled"), level)),
    ...verification.map((look) =>
      item(word(look.check), `${word(look.result)}; ${controlWords(look, word)} (${look.tool})`, look.assurance),
    ),
  ];
}

function controlWords(look: Certificate["verification"][number], word: (code: string) => string): string {
  if (look.check === "rows") return `${word("control_rows")} ${look.negative_control.before}`;
  if (look.check === "catalogue") return `${word("control_catalogue")} ${look.negative_control.seen} / ${look.negative_control.registered}`;
  return `${word("control_shares")} A ${look.negative_control.share_a}, B ${look.negative_control.share_b}`;
}

function annexOf(content: Certificate, language: Language): { heading: string; rows: NamedValue[] }[] {
  const said = texts[language];
  const { scope, keys, times, stays, log, order } = content;
  return [
    { heading: said.counts, rows: Object.entries(scope.before).map(([table, count]) => [table, `${count} → ${scope.after[table] ?? 0}`]) },
    {
      heading: said.keys,
      rows: keys.flatMap(({ epoch, share_a, share_b, share_c }) =>
        Object.entries({ A: share_a, B: share_b, ...(share_c !== null && { C: share_c }) }).map(
          ([share, commitment]) => [`${share}, ${said.epoch} ${epoch}`, commitment] as const,
        ),
      ),
    },
    { heading: said.times, rows: Object.entries(times).sort(([, a], [, b]) => (a < b ? -1 : 1)) },
    { heading: said.stays, rows: stays.map(({ table, reason }) => [table, reason] as const) },
    {
      heading: said.log,
      rows: [
        [said.order, order.digest],
        [said.logName, log.origin],
        [said.checkpoint, log.checkpoint.trim()],
        [said.entries, log.entries.map(({ index }) => index).join(", ")],
      ],
    },
  ];
}

function finalView(content: FinalCertificate, language: Language): Body {
  const said = texts[language];
  const spoken = language === "zh" ? "zh-CN" : "en";
  const word = (code: string) => codeWords[language][code] ?? code;
  const item = itemIn(language);
  const { statement, contract, merchant, vendor, job, first, horizon, verification, copies, attestations, log } = content;
  const items = [
    item(word("ciphertext_copies"), `${word("passed")} ${timeWords(horizon.passed_at)}`, horizon.assurance),
    ...verification.map(({ check, result, tool, at, assurance: level }) =>
      item(word(check), `${word(result)}, ${timeWords(at)} (${tool})`, level),
    ),
    item(word("copies"), word(copies.state), copies.assurance),
    ...attestations.map(({ system, state, assurance: level }) => item(`${word("attestation")} ${system}`, word(state), level)),
    item(said.first, first.digest, first.assurance),
  ];
  return {
    lead: [
      { heading: said.horizon, text: statement.horizon[spoken] },
      { heading: said.remains, text: statement.remains[spoken] },
    ],
    facts: {
      heading: said.partiesHeading,
      rows: [
        [said.contract, contract],
        [said.merchant, merchant],
        [said.vendor, vendor],
        [said.job, job],
      ],
    },
    items: itemsTable(items, language),
    annex: {
      heading: said.annex,
      parts: [
        {
          heading: said.log,
          rows: [
            [said.logName, log.origin],
            [said.checkpoint, log.checkpoint.trim()],
            [said.entries, String(log.entry.index)],
          ],
        },
      ],
    },
  };
}

function itemsTable(rows: readonly Item[], language: Language): View["items"] {
  const said = texts[language];
  return { heading: said.itemsHeading, columns: [said.item, said.what, said.assurance], rows, note: said.levels };
}

function itemIn(language: Language): (item: string, what: string, level: Assurance) => Item {
  return (item, what, level) => ({ item, what, level, assurance: assuranceWords[language][level] });
}

/** UTC, to the second. */
function timeWords(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)} UTC`;
}
