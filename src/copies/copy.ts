/**
 * A copy of an entry for another system's eyes. A format is one pure function from an entry to the text of one record; whatever stands in the
 * entry stays in its place there: it cannot end a field, begin a record, or give orders to a terminal or a spreadsheet.
 */
import type { Entry, EntryDetails } from "../audit/index.ts";

export interface Copied {
  /** Leaf index in its log. */
  readonly index: number;
  readonly entry: Entry;
  /** Who and from where; `null` = not opened for this copy. */
  readonly details: EntryDetails | null;
}

export interface CopyFormat {
  readonly media: string;
  /** Of a file's name. */
  readonly extension: string;
  /** What a file begins with. */
  readonly head: string;
  /** One record, its end included. */
  record(copied: Copied): string;
}

/** Line ends, what terminals obey, and marks that reorder or hide text. */
const unseen = /[\p{Cc}\p{Cf}\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** Most texts: nothing to look for. */
const plain = /^[\x20-\x7e]*$/;

/** Each of them as `\u` and its four digits, so that it is seen and does nothing. */
export function visible(text: string): string {
  return plain.test(text) ? text : text.replaceAll(unseen, unicodeEscape);
}

/** JSON on one line of plain characters; parsed again it is the same value. */
export function lineOfJson(value: unknown): string {
  return visible(JSON.stringify(value));
}

function unicodeEscape(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
}

/** The parts of an entry that every flat format has a place for, in that order; absent ones are empty. */
export function flatten({ index, entry, details }: Copied) {
  const { actor, outcome, request, reason, resource, decision, facts } = entry;
  return {
    index: String(index),
    id: entry.id,
    log: entry.log,
    time: entry.time,
    event: entry.event,
    effect: outcome.effect,
    code: outcome.code,
    actor_role: actor.role,
    actor: actor.id,
    actor_issuer: details?.issuer ?? "",
    actor_subject: details?.subject ?? "",
    address: details?.address ?? "",
    user_agent: details?.userAgent ?? "",
    reason: details?.reason ?? "",
    purpose: reason?.purpose ?? "",
    ticket: reason?.ticket ?? "",
    type: resource?.type ?? "",
    locators: resource?.records.map(({ locator }) => locator).join(" ") ?? "",
    subjects: resource?.records.flatMap(({ subject }) => subject ?? []).join(" ") ?? "",
    fields: resource && Object.keys(resource.fields).length > 0 ? JSON.stringify(resource.fields) : "",
    role: decision?.role ?? "",
    policy: decision?.policy ?? "",
    request_id: request?.id ?? "",
    route: request?.route ?? "",
    facts: facts ? JSON.stringify(facts) : "",
  };
}

export type FlatName = keyof ReturnType<typeof flatten>;
