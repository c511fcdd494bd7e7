/**
 * From sealed records to masked ones: open the plain level where a row rule or a condition reads it, ask them, then open what is left of the plan, and mask.
 * A record that a row rule does not admit is as if it were not there.
 */
import type { Aead } from "../crypto/index.ts";
import type { ContractId, JsonObject, Locator } from "../kernel/index.ts";
import type { ContractKeys } from "../keys/index.ts";
import { type MaskingMoment, maskDocument } from "../masking/index.ts";
import { admit, type Decision, type Facts, type MaskingNote, mergeLevels, type Settled, settle } from "../policy/index.ts";
import { openLevel } from "../records/index.ts";
import { hitsMax, type LoadedRecord } from "./load.ts";

export interface MaskedRecord {
  readonly type: string;
  readonly locator: Locator;
  readonly fields: JsonObject;
  readonly masking: readonly MaskingNote[];
}

export interface Opened {
  readonly record: MaskedRecord;
  readonly subject: string;
  readonly settled: Settled;
  /** Policy path → treatment of what left. */
  readonly left: ReturnType<typeof maskDocument>["shown"];
  /** Members and shapes that the policy does not name. */
  readonly unknown: number;
}

export interface OpenedRecords {
  /** At most `hitsMax`. */
  readonly shown: readonly Opened[];
  /** There are others that would be shown. */
  readonly more: boolean;
  /** Records that the row rule did not admit: it did not hold, or could not be evaluated. */
  readonly refused: { readonly notHeld: number; readonly failed: number };
}

export interface Opening {
  readonly contract: ContractId;
  readonly type: string;
  readonly decision: Decision;
  readonly keys: ContractKeys;
  readonly facts: Omit<Facts, "record">;
}

const plainLevel = 0;

/** `null` = a key or a level does not open. */
export function openRecords(aead: Aead, opening: Opening, records: readonly LoadedRecord[]): OpenedRecords | null {
  const { decision, facts } = opening;
  const shown: Opened[] = [];
  let [more, notHeld, failed] = [false, 0, 0];
  for (const record of records) {
    // Without a row rule nobody need look into what is not shown.
    if (shown.length === hitsMax && !decision.hasRows) return { shown, more: true, refused: { notHeld, failed } };
    const open = openerOf(aead, opening, record);
    const plain = decision.needsRecord ? open?.(plainLevel) : {};
    if (!open || !plain) return null;
    const known = { ...facts, record: plain };
    const verdict = decision.hasRows ? admit(decision, known) : "holds";
    if (verdict === "failed") failed++;
    else if (verdict === "fails_to_hold") notHeld++;
    else if (shown.length === hitsMax) more = true;
    else {
      const opened = openAndMask(opening, record, settle(decision, known), open);
      if (opened === null) return null;
      shown.push(opened);
    }
  }
  return { shown, more, refused: { notHeld, failed } };
}

/** Opens a level once; an absent one is empty, one that does not open is `null`. */
type Open = (level: number) => JsonObject | null;

function openerOf(
  aead: Aead,
  { contract, type, keys }: Opening,
  { locator, subject, version, subjectKey, levels }: LoadedRecord,
): Open | null {
  const key = subjectKey && keys.openSubjectKey(subject, subjectKey);
  if (!key) return null;
  const opened = new Map<number, JsonObject | null>();
  return (level) => {
    const known = opened.get(level);
    if (known !== undefined) return known;
    const sealed = levels[level];
    const document = sealed ? openLevel(aead, key, { contract, subject, type, locator, level, version }, sealed) : {};
    opened.set(level, document);
    return document;
  };
}

/** Opens only the levels from which something leaves. */
function openAndMask(
  { type, keys, facts }: Opening,
  { locator, subject, levels }: LoadedRecord,
  settled: Settled,
  open: Open,
): Opened | null {
  const documents: JsonObject[] = [];
  for (const level of settled.levels) {
    if (!levels[level]) continue;
    const document = open(level);
    if (!document) return null;
    documents.push(document);
  }
  const moment: MaskingMoment = { today: facts.request.date, pseudonymKey: keys.pseudonym };
  const { fields, shown: left, unknown } = maskDocument(settled.plan, mergeLevels(documents), moment);
  return { record: { type, locator, fields, masking: settled.masking }, subject, settled, left, unknown };
}
