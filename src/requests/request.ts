/**
 * What a data subject asks of the merchant: access, correction, erasure (PIPL 44–47, GDPR 15–17). The vendor's agent hears it on the telephone and hands
 * it on; the merchant, whose customer it is, answers. What the customer said is sealed under the customer's own key, so it ends with that key.
 */
import { uuidv7 } from "uuidv7";
import { type Aead, fromUtf8, open, seal, utf8 } from "../crypto/index.ts";
import { type ContractId, canonicalJson, type Locator } from "../kernel/index.ts";

export const requestKinds = ["access", "correction", "erasure"] as const;
export type RequestKind = (typeof requestKinds)[number];
export const requestOutcomes = ["done", "refused"] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];

/** Characters of UTF-16. */
export const noteMax = 2_000;

/** Days to the answer: half of what GB/T 35273-2020 8.7 (30 days) and GDPR 12(3) (a month) allow, and what Chinese apps are held to. */
const answerDays = 15;
const noteBucketBytes = 512;

export interface NewRequest {
  readonly contract: ContractId;
  /** UUIDv7. */
  readonly id: string;
  readonly kind: RequestKind;
  /** Of the record that was before the agent's eyes. */
  readonly type: string;
  readonly locator: Locator;
  readonly subject: string;
  /** Sealed. `null` = nothing was said. */
  readonly note: Uint8Array | null;
  /** Milliseconds, the database's clock. */
  readonly receivedAt: number;
  readonly dueAt: number;
}

/** `subjectKey`: of the person who asks. */
export function newRequest(
  aead: Aead,
  subjectKey: Uint8Array,
  { note, ...about }: Omit<NewRequest, "id" | "dueAt" | "note"> & { readonly note: string | undefined },
): NewRequest {
  const id = uuidv7();
  const sealed = note === undefined ? null : sealNote(aead, subjectKey, { contract: about.contract, id }, note);
  return { ...about, id, note: sealed, dueAt: about.receivedAt + answerDays * 86_400_000 };
}

export interface NotePlace {
  readonly contract: ContractId;
  readonly id: string;
}

function sealNote(aead: Aead, key: Uint8Array, place: NotePlace, note: string): Uint8Array {
  const text = utf8(JSON.stringify(note.toWellFormed()));
  const padded = new Uint8Array(Math.ceil(text.length / noteBucketBytes) * noteBucketBytes).fill(0x20);
  padded.set(text);
  return seal(aead, key, placeOf(place), padded);
}

/** `null` = it does not open: another request's, another person's, or changed bytes. */
export function openNote(aead: Aead, subjectKey: Uint8Array, place: NotePlace, sealed: Uint8Array): string | null {
  const padded = open(aead, subjectKey, placeOf(place), sealed);
  return padded && (JSON.parse(fromUtf8(padded)) as string);
}

function placeOf({ contract, id }: NotePlace): Uint8Array {
  return utf8(canonicalJson([contract, "note", id]));
}
