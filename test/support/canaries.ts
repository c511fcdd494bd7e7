/**
 * Values that must never lie anywhere in the clear: one in every field of the shipped policy, and a search for all of them in whole files,
 * in five forms: raw, UTF-16LE, hex, base64 at three offsets, URL-encoded.
 */
import type { Dumped } from "./retail/dump.ts";

export const forms = ["raw", "utf16", "hex", "base64", "url"] as const;
export type Form = (typeof forms)[number];

export interface Sighting {
  readonly where: string;
  readonly canary: string;
  readonly form: Form;
}

/** Every text holds both; a normalized value still does. */
const stems = ["金丝雀鸟", "kanarie-zq7w"] as const;
const text = (name: string) => `${stems[0]} ${stems[1]} ${name}`;
const digits = { phone: "13871460923", mobile: "13960358147", residentId: "330106198704213579" } as const;

/** Every field that the shipped policy names for a customer, and one that it does not. */
export const canaryCustomer = {
  id: `#${text("id")}`,
  name: text("name"),
  phone: digits.phone,
  email: `${stems[1]}@example.com`,
  address: text("address"),
  id_card: digits.residentId,
  note: text("note"),
  vip: text("vip"),
  level: text("level"),
  registered_at: text("registered"),
  [text("unnamed key")]: text("unnamed"),
} as const;

export const canaryOrder = {
  id: `#${text("order id")}`,
  customer_id: canaryCustomer.id,
  order_no: text("order_no"),
  status: text("status"),
  amount: text("amount"),
  currency: text("currency"),
  items: [{ title: text("title"), sku: text("sku"), quantity: text("quantity"), price: text("price") }],
  receiver: { name: text("receiver"), mobile: digits.mobile, address: text("receiver address") },
  buyer_message: text("message"),
  seller_memo: text("memo"),
  tracking_no: text("tracking"),
  carrier: text("carrier"),
  paid_at: text("paid"),
} as const;

/** What a caller sends that is stored nowhere, or sealed: in a header, a path, a search that finds nothing, a line that cannot be read. */
export const canaryElsewhere = text("elsewhere");

/** Each canary once per file and form. */
export function findCanaries(dumped: Iterable<Dumped>): Sighting[] {
  const sightings: Sighting[] = [];
  for (const { name, bytes } of dumped) {
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { canary, form, needles } of sought) {
      if (needles.some((needle) => haystack.includes(needle))) sightings.push({ where: name, canary, form });
    }
  }
  return sightings;
}

/** How somebody writes `value` in a form; several spellings of one are all looked for. */
export const spellings: Readonly<Record<Form, (value: string) => Buffer[]>> = {
  raw: (value) => [Buffer.from(value)],
  utf16: (value) => [Buffer.from(value, "utf16le")],
  hex: (value) => [Buffer.from(hexOf(value)), Buffer.from(hexOf(value).toUpperCase())],
  base64: (value) => [0, 1, 2].flatMap((offset) => sureBase64(value, offset)),
  url: (value) =>
    [...new Set([encodeURIComponent(value), percentAll(value), percentAll(value).toLowerCase()])].map((way) => Buffer.from(way)),
};

const sought = [...stems, ...Object.values(digits)].flatMap((canary) =>
  forms.map((form) => {
    // What needs no escape is written as it is: that is the raw form's to find.
    const needles = spellings[form](canary).filter((needle) => form === "raw" || !needle.equals(Buffer.from(canary)));
    return { canary, form, needles };
  }),
);

function hexOf(value: string): string {
  return Buffer.from(value).toString("hex");
}

function percentAll(value: string): string {
  return hexOf(value).toUpperCase().replace(/../g, "%$&");
}

/** The characters that stand for `value` alone, whatever stands before (`offset` bytes, modulo 3) and after it, in both alphabets. */
function sureBase64(value: string, offset: number): Buffer[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  const sure = bytes.toString("base64").slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
  return [sure, sure.replaceAll("+", "-").replaceAll("/", "_")].map((way) => Buffer.from(way));
}
