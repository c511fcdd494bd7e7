/**
 * From what a use case says to what the log holds: people become keyed pseudonyms; who, from where and why in their words is sealed.
 */
import { type Aead, hmacSha256, open, seal, toBase32, toBase64, utf8 } from "../crypto/index.ts";
import { canonicalJson } from "../kernel/index.ts";
import type { Entry, EntryDetails } from "./entry.ts";
import type { Actor, EntryDraft } from "./log.ts";

export interface Composition {
  readonly origin: string;
  readonly pseudonymKey: Uint8Array;
  readonly aead: Aead;
  /** The audit key of `month`. */
  readonly auditKey: Uint8Array;
  readonly month: string;
  /** UUIDv7. */
  readonly id: string;
  readonly time: string;
}

const textMax = 256;
const detailsBucketBytes = 128;

/** The entry without its writer. */
export function composeEntry(draft: EntryDraft, parts: Composition): Omit<Entry, "writer"> {
  const { actor, request, reason, resource } = draft;
  const details: EntryDetails = {
    issuer: "issuer" in actor ? actor.issuer?.slice(0, textMax) : undefined,
    subject: "subject" in actor ? actor.subject?.slice(0, textMax) : undefined,
    address: request?.address?.slice(0, textMax),
    userAgent: request?.userAgent?.slice(0, textMax).toWellFormed(),
    reason: request?.reason,
  };
  // In the order of canonical JSON, which then need not sort.
  return {
    actor: { id: actorPseudonym(parts.pseudonymKey, actor), role: actor.role },
    decision: draft.decision,
    details: Object.values(details).some((value) => value !== undefined) ? sealDetails(details, parts) : undefined,
    event: draft.event,
    facts: draft.facts,
    id: parts.id,
    log: parts.origin,
    outcome: { code: draft.outcome.code, effect: draft.outcome.effect },
    reason: reason && {
      purpose: reason.purpose,
      ticket: reason.ticket === undefined ? undefined : pseudonym(parts.pseudonymKey, "t", reason.ticket),
    },
    request: request && { id: request.id, route: request.route },
    resource: resource && {
      fields: resource.fields,
      records: resource.records.map(({ locator, subject }) => ({
        locator,
        subject: subject === undefined ? undefined : subjectPseudonym(parts.pseudonymKey, subject),
      })),
      type: resource.type,
    },
    time: parts.time,
    v: 1,
  };
}

/** `system`, `unknown`, or `a_…` of (issuer, subject). */
export function actorPseudonym(key: Uint8Array, actor: Actor): string {
  if (actor.role === "system") return "system";
  if (actor.issuer === undefined || actor.subject === undefined) return "unknown";
  return agentPseudonym(key, `${actor.issuer}\u0000${actor.subject}`);
}

const agentsMax = 1_000;
/** The same few hundred people act all day. Gone with the key they were made under. */
const agentPseudonyms = new WeakMap<Uint8Array, Map<string, string>>();

function agentPseudonym(key: Uint8Array, person: string): string {
  const known = agentPseudonyms.get(key) ?? new Map<string, string>();
  const made = known.get(person) ?? pseudonym(key, "a", person);
  if (known.size >= agentsMax) known.clear();
  agentPseudonyms.set(key, known.set(person, made));
  return made;
}

/** `s_…` of a data subject's id within the contract. */
export function subjectPseudonym(key: Uint8Array, subject: string): string {
  return pseudonym(key, "s", subject);
}

function pseudonym(key: Uint8Array, kind: "a" | "s" | "t", text: string): string {
  return `${kind}_${toBase32(hmacSha256(key, utf8(`${kind}\u0000${text}`))).slice(0, 26)}`;
}

function sealDetails(details: EntryDetails, { aead, auditKey, month, origin, id }: Composition): Entry["details"] {
  const text = utf8(JSON.stringify(details));
  const padded = new Uint8Array(Math.ceil(text.length / detailsBucketBytes) * detailsBucketBytes).fill(0x20);
  padded.set(text);
  return { box: toBase64(seal(aead, auditKey, detailsPlace(origin, id), padded)), key: month };
}

/** `null` = it does not open under this key. */
export function openDetails(aead: Aead, auditKey: Uint8Array, entry: Pick<Entry, "log" | "id">, box: Uint8Array): EntryDetails | null {
  const text = open(aead, auditKey, detailsPlace(entry.log, entry.id), box);
  return text && (JSON.parse(new TextDecoder().decode(text)) as EntryDetails);
}

function detailsPlace(origin: string, id: string): Uint8Array {
  return utf8(canonicalJson([origin, id, "details"]));
}
