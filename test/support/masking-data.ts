/**
 * What the masks do to other people's data, as a table: the tests hold it to its promises, `npm run bench -- masking` prints it.
 * Sets that are absent are left out.
 */
import { type DataClass, hutoolMasks, type MaskProfile, maskValue } from "../../src/masking/index.ts";
import { hasShared, readShared } from "./shared.ts";

export interface Measured {
  readonly set: string;
  readonly promise: string;
  readonly of: number;
  readonly held: number;
  /** What did not hold, for whoever wants to look; never printed by the bench. */
  readonly misses: readonly string[];
}

export function measureMasks(): Measured[] {
  return [hutoolVectors, idVectors, chineseAddresses, usAddresses, cardsPhonesAndMails].flatMap((measure) => measure());
}

const visible = "data/visible";

interface HutoolVector {
  readonly fn: string;
  readonly input: string;
  readonly args: string;
  readonly expected: string;
}

const hutoolFunctions = {
  chineseName: "CHINESE_NAME",
  idCardNum: "ID_CARD",
  fixedPhone: "FIXED_PHONE",
  mobilePhone: "MOBILE_PHONE",
  address: "ADDRESS",
  email: "EMAIL",
  password: "PASSWORD",
  carLicense: "CAR_LICENSE",
  bankCard: "BANK_CARD",
} as const;

/** Those of hutool's types that are a class of ours. */
const classOf: Readonly<Partial<Record<keyof typeof hutoolMasks, DataClass>>> = {
  CHINESE_NAME: "person_name",
  ID_CARD: "resident_id",
  FIXED_PHONE: "phone",
  MOBILE_PHONE: "phone",
  ADDRESS: "address",
  EMAIL: "email",
  CAR_LICENSE: "plate",
  BANK_CARD: "payment_card",
  IPV4: "ip_address",
  IPV6: "ip_address",
  USER_ID: "nickname",
};

export function hutoolVectors(): Measured[] {
  const file = `${visible}/mask_vectors_hutool.json`;
  if (!hasShared(file)) return [];
  const vectors: HutoolVector[] = JSON.parse(readShared(file));
  const misses = vectors.filter((vector) => hutoolAnswer(vector) !== vector.expected);
  return [
    {
      set: "hutool's vectors",
      promise: "the same output; where hutool returns its input we refuse",
      of: vectors.length,
      held: vectors.length - misses.length,
      misses: misses.map(
        ({ fn, input, args, expected }) => `${fn}(${[input, args].filter((part) => part !== "").join(", ")}) = ${expected}`,
      ),
    },
  ];
}

function hutoolAnswer({ fn, input, args }: HutoolVector): unknown {
  const name = fn === "desensitized" ? args : hutoolFunctions[fn as keyof typeof hutoolFunctions];
  const type = name as keyof typeof hutoolMasks;
  if (fn === "address") return hutoolMasks.ADDRESS(input, Number(args));
  const className = classOf[type];
  return className === undefined ? hutoolMasks[type](input) : maskValue(className, input, "hutool");
}

interface IdVector {
  readonly recognizer: string;
  readonly negative: boolean;
  readonly text: string;
  readonly spans: readonly { readonly s: number; readonly e: number }[];
}

/** Which recognizers' vectors are of a class that we claim to tell from what it is not, and what the class says to a value it cannot read. */
const claimed: Readonly<Record<string, { readonly class: DataClass; readonly unreadable: string }>> = {
  ip: { class: "ip_address", unreadable: "*.*.*.*" },
  iban: { class: "iban", unreadable: "**** ****" },
  email: { class: "email", unreadable: "***" },
  us_passport: { class: "passport", unreadable: "********" },
  it_passport: { class: "passport", unreadable: "********" },
};

export function idVectors(): Measured[] {
  const vectors = readRows<IdVector>(`${visible}/id_vectors_presidio.jsonl`);
  const byClass = new Map<DataClass, { of: number; misses: string[] }>();
  for (const { recognizer, negative, text, spans } of vectors) {
    const claim = Object.hasOwn(claimed, recognizer) ? claimed[recognizer] : undefined;
    if (claim === undefined) continue;
    const counted = byClass.get(claim.class) ?? { of: 0, misses: [] };
    byClass.set(claim.class, counted);
    for (const value of negative ? [text] : spans.map(({ s, e }) => text.slice(s, e))) {
      counted.of++;
      if ((maskValue(claim.class, value) === claim.unreadable) !== negative) counted.misses.push(value);
    }
  }
  return [...byClass].map(([name, { of, misses }]) => ({
    set: `ID vectors: ${name}`,
    promise: "valid ones read, invalid ones all stars",
    of,
    held: of - misses.length,
    misses,
  }));
}

interface ChineseAddress {
  readonly text: string;
  readonly keep_prefix: string;
  readonly secret_parts: readonly string[];
}

export function chineseAddresses(): Measured[] {
  const rows = readRows<ChineseAddress>(`${visible}/zh_address_parts.jsonl`).map((row) => ({
    ...row,
    shown: shownOf("address", row.text),
  }));
  if (rows.length === 0) return [];
  const labelled = rows.filter(({ keep_prefix }) => keep_prefix !== "");
  const lost = labelled.filter(({ keep_prefix, shown }) => !shown.startsWith(keep_prefix));
  const secrets = rows.flatMap(({ secret_parts, shown, text }) => secret_parts.map((part) => ({ part, shown, text })));
  // A part of one character (区, 1) says nothing of itself.
  const leaked = secrets.filter(({ part, shown }) => part.length > 1 && shown.includes(part));
  return [
    measured("Chinese addresses", "divisions to the district kept", labelled, lost, ({ text }) => text),
    measured("Chinese addresses", "secret parts not shown", secrets, leaked, ({ text, part }) => `${part} in ${text}`),
  ];
}

interface UsAddress {
  readonly text: string;
  readonly parts: readonly (readonly [label: string, text: string])[];
  readonly secret_parts: readonly string[];
  readonly keep_parts: readonly string[];
}

export function usAddresses(): Measured[] {
  const rows = readRows<UsAddress>(`${visible}/en_address_parts.jsonl`).map((row) => ({
    ...row,
    shown: wordsOf(shownOf("address", row.text)),
  }));
  if (rows.length === 0) return [];
  const streets = rows.filter(({ secret_parts, keep_parts, parts, shown }) => {
    const zip3 = parts.filter(([label]) => label === "ZipCode").map(([, zip]) => zip.slice(0, 3));
    const allowed = new Set([...keep_parts.flatMap(wordsOf), ...zip3]);
    return secret_parts.flatMap(wordsOf).some((word) => !allowed.has(word) && shown.includes(word));
  });
  const labelled = rows.filter(({ keep_parts }) => keep_parts.length > 0);
  const lost = labelled.filter(({ keep_parts, shown }) => !keep_parts.flatMap(wordsOf).every((word) => shown.includes(word)));
  return [
    measured("US addresses", "no street left", rows, streets, ({ text }) => text),
    measured("US addresses", "city and state kept (else stars: nothing is guessed)", labelled, lost, ({ text }) => text),
  ];
}

const phoneForm = /^(?:(?:\+[0-9]{1,3} )?\*{4}[0-9]{0,4}|0[0-9]{2,3}\*{4}[0-9]{2}|1[0-9]{2}\*{4}[0-9]{4})$/;

export function cardsPhonesAndMails(): Measured[] {
  const cards = column("aw_CreditCard.csv", "\t", "\n", 2);
  const phones = column("aw_PersonPhone.csv", "+|", "&|", 1);
  const mails = column("aw_EmailAddress.csv", "+|", "&|", 2);
  return [
    allLike("AdventureWorks' cards", "the last four", "payment_card", cards, /^\*{4}[0-9]{4}$/),
    allLike("AdventureWorks' phones", "country and the last four, or area and the last two", "phone", phones, phoneForm),
    allLike("AdventureWorks' mails", "the first character and the domain", "email", mails, /^[\p{L}\p{N}]?\*{3}@[^@]+$/u),
  ].flat();
}

function allLike(set: string, promise: string, name: DataClass, values: readonly string[], form: RegExp): Measured[] {
  if (values.length === 0) return [];
  return [
    measured(
      set,
      promise,
      values,
      values.filter((value) => !form.test(String(maskValue(name, value)))),
      (value) => value,
    ),
  ];
}

/** A column of one of the separated files. */
function column(file: string, field: string, row: string, index: number): string[] {
  const path = `${visible}/structured/${file}`;
  if (!hasShared(path)) return [];
  return readShared(path)
    .split(row)
    .map((line) => line.split(field)[index]?.trim() ?? "")
    .filter((value) => value !== "");
}

function measured<Row>(
  set: string,
  promise: string,
  all: readonly Row[],
  misses: readonly Row[],
  describe: (row: Row) => string,
): Measured {
  return { set, promise, of: all.length, held: all.length - misses.length, misses: misses.map(describe) };
}

function readRows<Row>(file: string): Row[] {
  if (!hasShared(file)) return [];
  return readShared(file)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function shownOf(name: DataClass, text: string, profile?: MaskProfile): string {
  return String(maskValue(name, text, profile)).replace("****", "");
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}
