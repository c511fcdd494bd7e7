/**
 * What is held of one person, and who has seen it, when and why (PIPL 45, GDPR 15):  find → open for the names of fields → ask the log → answer
 * It names the fields and never their values, which the merchant has; and the people who looked by their pseudonyms.
 */
import { type Entry, readEntry, searchEntries, selectEntriesAt, subjectPseudonym } from "../audit/index.ts";
import { type ContractId, isJsonObject, type JsonObject, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import type { Visit } from "../offices/index.ts";
import { openLevel, type SubjectRecord, selectRecordsOf } from "../records/index.ts";
import type { SubjectRequest } from "../requests/index.ts";
import { type AtDesk, logHere, type RightsDesk, withSubjectKey } from "./desk.ts";
import { aboutOf, findRequest } from "./requests.ts";

const pageEntries = 500;
/** More about one person is an officer's export. */
const seenMax = 10_000;

export interface Report {
  readonly request: SubjectRequest;
  /** As the log names this person for as long as it is kept. */
  readonly pseudonym: string;
  readonly held: readonly Held[];
  /** Oldest first: every entry about this person. */
  readonly seen: readonly { readonly index: number; readonly entry: Entry }[];
  /** There are entries beyond those. */
  readonly more: boolean;
}

export interface Held {
  readonly type: string;
  readonly locator: string;
  /** The merchant's own id. */
  readonly id: string | null;
  /** Names of the fields that are stored, sorted. */
  readonly fields: readonly string[];
}

export async function reportOn(desk: RightsDesk, visit: Visit, id: ContractId, which: string): Promise<Result<Report, Refusal>> {
  const found = await findRequest(desk, visit, id, which, "subject_request.read");
  if (!found.ok) return found;
  const { came, request } = found.value;
  await logHere(desk, visit, came, { event: "subject_request.read", outcome: { effect: "allow", code: "reported" }, ...aboutOf(request) });
  const records = await selectRecordsOf(desk.database, id, request.subject);
  const opened = await withSubjectKey(desk, came, request.subject, (key) => records.map((record) => heldOf(desk, id, record, key)));
  const held = opened ?? records.map(() => null);
  if (held.includes(null)) return refuse({ code: "record_damaged" });
  const locators = new Set([request.locator, request.subject, ...records.map(({ locator }) => locator)]);
  const pseudonym = subjectPseudonym(came.keys.pseudonym, request.subject);
  const seen = await seenOf(desk, came, [pseudonym, ...locators]);
  const shown = seen.slice(0, seenMax);
  return ok({ request, pseudonym, held: held.filter((one) => one !== null), seen: shown, more: seen.length > seenMax });
}

/** `null` = a level does not open. */
function heldOf({ aead }: RightsDesk, contract: ContractId, record: SubjectRecord, key: Uint8Array): Held | null {
  const { type, locator, subject, version, levels } = record;
  const documents: JsonObject[] = [];
  for (const [level, sealed] of levels.entries()) {
    if (!sealed) continue;
    const document = openLevel(aead, key, { contract, subject, type, locator, level, version }, sealed);
    if (!document) return null;
    documents.push(document);
  }
  const merchantId = documents.map((document) => document["\u0000id"]).find((value) => typeof value === "string");
  const names = documents.flatMap((document) => Object.keys(document).filter((name) => name !== "\u0000id" && holds(document[name])));
  return { type, locator, id: typeof merchantId === "string" ? merchantId : null, fields: [...new Set(names)].sort() };
}

/** An object or a list that only keeps the places of another level's values holds nothing itself. */
function holds(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holds);
  return typeof value === "object" && value !== null && isJsonObject(value as JsonObject) ? Object.values(value).some(holds) : true;
}

async function seenOf(desk: RightsDesk, { contract }: AtDesk, subjects: readonly string[]): Promise<{ index: number; entry: Entry }[]> {
  const seen: { index: number; entry: Entry }[] = [];
  for (let from = 0; seen.length <= seenMax; ) {
    const page = { order: "oldest", from, to: Number.MAX_SAFE_INTEGER, limit: pageEntries } as const;
    const indexes = await searchEntries(desk.database, contract.id, { subjects }, page);
    for (const { index, bytes } of await selectEntriesAt(desk.database, contract.id, indexes)) {
      const entry = bytes && readEntry(bytes);
      if (entry) seen.push({ index, entry });
    }
    const last = indexes.at(-1);
    if (last === undefined || indexes.length < pageEntries) break;
    from = last + 1;
  }
  return seen;
}
