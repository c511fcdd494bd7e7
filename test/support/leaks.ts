/**
 * Looks for values that must not be there, in eight encodings: raw, URL, base64 at three offsets, hex, `\u`, HTML entity, reversed, last eight digits.
 *
 * A value of eight characters or more counts wherever it stands, in any case of its ASCII letters. A shorter one would be found by chance, so it counts only
 * where the caller hands over an answer's decoded `fields`: raw as a whole token of the text, encoded only inside a field.
 * Eight digits come up by chance in digests and ids: those amid the letters of a hexadecimal number do not count.
 * Encodings are looked for one at a time: base64 of base64 is not found.
 */
export const encodings = ["raw", "url", "base64", "hex", "escape", "entity", "reversed", "last_digits"] as const;
export type Encoding = (typeof encodings)[number];

export interface Leak {
  readonly value: string;
  readonly encoding: Encoding;
}

export interface ScanOptions {
  /** Field values and keys of the text, decoded: then values under eight characters count as well. */
  readonly fields?: readonly string[];
}

export interface LeakScanner {
  /** Each value once per encoding. Bytes are scanned as they are. */
  scan(text: string | Uint8Array, options?: ScanOptions): Leak[];
}

const charactersMin = 8;
/** A short value's base64 of fewer characters says nothing. */
const shortBase64Min = 4;

export function findLeaks(text: string | Uint8Array, values: Iterable<string>, options: ScanOptions = {}): Leak[] {
  return createLeakScanner(values).scan(text, options);
}

/** For many texts: the values are prepared once. */
export function createLeakScanner(values: Iterable<string>): LeakScanner {
  const distinct = [...new Set(values)].filter((value) => value !== "");
  const long = distinct.filter((value) => [...value].length >= charactersMin);
  const short = distinct.filter((value) => [...value].length < charactersMin);
  const raw = new NeedleIndex(long.map((value): Needle => [fold(binary(value)), { value, encoding: "raw" }]));
  const folded = new NeedleIndex(long.flatMap(foldedNeedles));
  const exact = new NeedleIndex(long.flatMap(base64Needles));
  return {
    scan(text, { fields } = {}) {
      const leaks = new Map<string, Leak>();
      const add = (leak: Leak) => void leaks.set(`${leak.encoding} ${leak.value}`, leak);
      const whole = binary(text);
      exact.search(whole, add);
      folded.search(fold(whole), add);
      for (const { encoding, decoded } of decodings(whole)) {
        raw.search(fold(decoded), ({ value }) => leaks.has(`raw ${value}`) || add({ value, encoding }));
      }
      if (fields) for (const leak of shortLeaks(short, whole, fields)) add(leak);
      return [...leaks.values()];
    },
  };
}

type Needle = readonly [text: string, leak: Leak];

/** Those that case does not matter to. */
function foldedNeedles(value: string): Needle[] {
  const needles: Needle[] = [
    [fold(binary(value)), { value, encoding: "raw" }],
    [fold(binary(reverse(value))), { value, encoding: "reversed" }],
    [Buffer.from(value).toString("hex"), { value, encoding: "hex" }],
  ];
  const digits = value.replace(/\D/g, "");
  if (digits.length >= 8) needles.push([digits.slice(-8), { value, encoding: "last_digits" }]);
  return needles;
}

function base64Needles(value: string): Needle[] {
  const texts = [0, 1, 2].flatMap((offset) => bothAlphabets(sureBase64(Buffer.from(value), offset)));
  return texts.map((text): Needle => [text, { value, encoding: "base64" }]);
}

/** The characters that stand for `bytes` alone, whatever stands before and after them. `offset`: bytes before it, modulo 3. */
function sureBase64(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString("base64")
    .replaceAll("=", "");
  const bits = (offset + bytes.length) * 8;
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(bits / 6));
}

function bothAlphabets(base64: string): string[] {
  return [...new Set([base64, base64.replaceAll("+", "-").replaceAll("/", "_")])];
}

/** A text with one encoding undone wherever it stands, so that half-encoded values are found as well. */
function decodings(text: string): { readonly encoding: Encoding; readonly decoded: string }[] {
  return [
    { encoding: "url" as const, decoded: decodeUrl(text) },
    { encoding: "escape" as const, decoded: decodeEscapes(text) },
    { encoding: "entity" as const, decoded: decodeEntities(text) },
  ].filter(({ decoded }) => decoded !== text);
}

function decodeUrl(text: string): string {
  return text.replaceAll("+", " ").replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function decodeEscapes(text: string): string {
  return text
    .replace(/(?:\\u[0-9a-f]{4})+/gi, (run) =>
      binary(run.replace(/\\u(.{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))),
    )
    .replace(/\\(["\\/])/g, "$1");
}

const namedEntities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", commat: "@" };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]{2,6}));?/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return namedEntities[name.toLowerCase()] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? binary(String.fromCodePoint(code)) : whole;
  });
}

function shortLeaks(values: readonly string[], text: string, fields: readonly string[]): Leak[] {
  const leaks: Leak[] = [];
  const tokens = fold(text);
  const parts = fields.map((field) => ({ exact: binary(field), folded: fold(binary(field)), decoded: decodings(binary(field)) }));
  for (const value of values) {
    const needle = fold(binary(value));
    const hex = Buffer.from(value).toString("hex");
    const found: Record<Encoding, boolean> = {
      raw: hasToken(tokens, needle) || parts.some((part) => hasToken(part.folded, needle)),
      reversed: parts.some((part) => hasToken(part.folded, fold(binary(reverse(value))))),
      hex: parts.some((part) => part.folded.includes(hex)),
      base64: parts.some((part) => hasShortBase64(part.exact, value)),
      url: parts.some((part) => hasDecodedToken(part.decoded, "url", needle)),
      escape: parts.some((part) => hasDecodedToken(part.decoded, "escape", needle)),
      entity: parts.some((part) => hasDecodedToken(part.decoded, "entity", needle)),
      last_digits: false,
    };
    for (const encoding of encodings) if (found[encoding]) leaks.push({ value, encoding });
  }
  return leaks;
}

function hasDecodedToken(decoded: ReturnType<typeof decodings>, encoding: Encoding, needle: string): boolean {
  return decoded.some((view) => view.encoding === encoding && hasToken(fold(view.decoded), needle));
}

/** Not inside a longer run of ASCII letters and digits; a value that ends in another script has no such boundary there. */
function hasToken(text: string, needle: string): boolean {
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
    const end = at + needle.length;
    if (isApart(needle[0], text[at - 1]) && isApart(needle.at(-1), text[end])) return true;
  }
  return false;
}

function isApart(own = "", neighbour = ""): boolean {
  return !(/[a-z0-9]/.test(own) && /[a-z0-9]/.test(neighbour));
}

function hasShortBase64(field: string, value: string): boolean {
  const bytes = Buffer.from(value);
  const whole = bytes.toString("base64").replaceAll("=", "");
  const isWhole = new RegExp(`(?<![A-Za-z0-9+/_-])${whole.replace(/[+/]/g, "\\$&")}(?![A-Za-z0-9+/_-])`).test(field);
  const within = [0, 1, 2].map((offset) => sureBase64(bytes, offset)).filter((sure) => sure.length >= shortBase64Min);
  return isWhole || within.flatMap(bothAlphabets).some((sure) => field.includes(sure));
}

const gram = 8;
const highestPower = Array.from({ length: gram - 1 }).reduce<number>((power) => Math.imul(power, 31), 1);

/** Many needles in one pass: a rolling hash of eight characters says where to look. */
class NeedleIndex {
  readonly #filter: Uint8Array;
  readonly #unusedBits: number;
  readonly #byGram = new Map<string, Needle[]>();

  constructor(needles: readonly Needle[]) {
    const bits = Math.min(24, Math.ceil(Math.log2(needles.length + 1)) + 4);
    this.#filter = new Uint8Array(2 ** bits);
    this.#unusedBits = 32 - bits;
    for (const needle of needles) {
      const start = needle[0].slice(0, gram);
      if (start.length < gram) throw new RangeError("a needle is too short to be looked for everywhere");
      const standing = this.#byGram.get(start);
      if (standing) standing.push(needle);
      else this.#byGram.set(start, [needle]);
      let hash = 0;
      for (let i = 0; i < gram; i++) hash = (Math.imul(hash, 31) + start.charCodeAt(i)) | 0;
      this.#filter[this.#slot(hash)] = 1;
    }
  }

  /** Each find but those by chance. */
  search(text: string, found: (leak: Leak) => void): void {
    const filter = this.#filter;
    let hash = 0;
    for (let end = 0; end < text.length; end++) {
      if (end >= gram) hash = (hash - Math.imul(text.charCodeAt(end - gram), highestPower)) | 0;
      hash = (Math.imul(hash, 31) + text.charCodeAt(end)) | 0;
      const start = end - gram + 1;
      if (start < 0 || filter[this.#slot(hash)] === 0) continue;
      for (const [needle, leak] of this.#byGram.get(text.slice(start, end + 1)) ?? []) {
        if (text.startsWith(needle, start) && !isPartOfHex(needle, text, start)) found(leak);
      }
    }
  }

  #slot(hash: number): number {
    return Math.imul(hash, 0x9e3779b1) >>> this.#unusedBits;
  }
}

/** The shortest hexadecimal number that is an id or part of one: the end of a UUID. */
const hexDigitsMin = 12;

/** Whether a number of few digits stands amid a longer one that has letters. */
function isPartOfHex(needle: string, text: string, start: number): boolean {
  if (needle.length >= hexDigitsMin - 1 || !/^[0-9]+$/.test(needle)) return false;
  const end = start + needle.length;
  const [before = ""] = /[0-9a-f]*$/i.exec(text.slice(Math.max(0, start - 64), start)) ?? [];
  const [after = ""] = /^[0-9a-f]*/i.exec(text.slice(end, end + 64)) ?? [];
  return before.length + needle.length + after.length >= hexDigitsMin && /[a-f]/i.test(before + after);
}

/** One character a byte of UTF-8, so that texts and bytes are looked through alike */
function binary(text: string | Uint8Array): string {
  const bytes = typeof text === "string" ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  return bytes.toString("latin1");
}

/** Case of ASCII letters only: other bytes are parts of characters. */
function fold(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function reverse(text: string): string {
  return [...text].reverse().join("");
}
