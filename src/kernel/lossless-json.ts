/**
 * JSON read without losing anything: numbers keep their digits, a key that stands twice is refused, `__proto__` is a key like any other,
 * and depth and breadth are bounded. RFC 8259 to the letter: no comments, no trailing commas, no NaN.
 * It does not stream: the caller bounds the text first.
 */

/** A number whose text JavaScript would not print again: `2188082354079975123`, `47.840`, `1e999`. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Json = string | number | boolean | null | NumberText | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

export interface JsonLimits {
  readonly depthMax: number;
  /** Members of one object, or elements of one array. */
  readonly breadthMax: number;
}

const jsonLimits: JsonLimits = { depthMax: 32, breadthMax: 10_000 };

/** Says where the text stops being JSON we accept. Never quotes the text. */
export class JsonSyntaxError extends Error {
  /** Index in UTF-16 code units. */
  readonly at: number;
  readonly reason: string;
  constructor(reason: string, at: number) {
    super(`${reason} at character ${at + 1}`);
    this.name = "JsonSyntaxError";
    this.reason = reason;
    this.at = at;
  }
}

/** Parses one JSON text. Objects have no prototype. Throws JsonSyntaxError. */
export function parseJson(text: string, limits: JsonLimits = jsonLimits): Json {
  const parser = new Parser(text, limits);
  return parser.document();
}

/** Prints a value read by `parseJson`; numbers come out with the digits they came in with. */
export function printJson(value: Json): string {
  return holdsNumberText(value) ? printLossless(value) : JSON.stringify(value);
}

/** Whether `value` holds a number that JSON.parse would not have read exactly. */
export function holdsNumberText(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof NumberText || Object.values(value).some(holdsNumberText);
}

function printLossless(value: Json): string {
  if (value instanceof NumberText) return value.text;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isJsonArray(value)) return `[${value.map(printLossless).join(",")}]`;
  const members = Object.keys(value).map((key) => `${JSON.stringify(key)}:${printLossless(value[key] ?? null)}`);
  return `{${members.join(",")}}`;
}

export function isJsonArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const quote = 0x22;
const backslash = 0x5c;
const escapes: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

class Parser {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #depth = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  document(): Json {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#error("unexpected text after the value");
    return value;
  }

  #value(): Json {
    this.#space();
    const first = this.#text[this.#at];
    if (first === "{" || first === "[") return this.#nested(first);
    if (first === '"') return this.#string();
    if (first === "t") return this.#word("true", true);
    if (first === "f") return this.#word("false", false);
    if (first === "n") return this.#word("null", null);
    return this.#number();
  }

  #nested(first: "{" | "["): Json {
    if (++this.#depth > this.#limits.depthMax) throw this.#error("nested too deep");
    this.#at++;
    const value = first === "{" ? this.#object() : this.#array();
    this.#depth--;
    return value;
  }

  #object(): Json {
    const object: Record<string, Json> = Object.create(null);
    if (this.#take("}")) return object;
    let count = 0;
    do {
      this.#space();
      const at = this.#at;
      if (this.#text[at] !== '"') throw this.#error("expected a key");
      const key = this.#string();
      if (key in object) throw new JsonSyntaxError("a key stands twice", at);
      if (++count > this.#limits.breadthMax) throw this.#error("too many members");
      if (!this.#take(":")) throw this.#error("expected ':'");
      object[key] = this.#value();
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#error("expected ',' or '}'");
    return object;
  }

  #array(): Json {
    const array: Json[] = [];
    if (this.#take("]")) return array;
    do {
      if (array.length >= this.#limits.breadthMax) throw this.#error("too many elements");
      array.push(this.#value());
    } while (this.#take(","));
    if (!this.#take("]")) throw this.#error("expected ',' or ']'");
    return array;
  }

  #string(): string {
    const start = this.#at++;
    let out = "";
    for (;;) {
      out += this.#run();
      const next = this.#text[this.#at++];
      if (next === '"') break;
      if (next !== "\\") throw new JsonSyntaxError(next === undefined ? "string without an end" : "control character in a string", start);
      out += this.#escape();
    }
    if (!out.isWellFormed()) throw new JsonSyntaxError("half a character in a string", start);
    return out;
  }

  /** Up to a quote, a backslash or what may not stand there. Most are short: a pattern would cost more than looking at each. */
  #run(): string {
    const start = this.#at;
    for (let code = this.#text.charCodeAt(start); code > 0x1f && code !== quote && code !== backslash; )
      code = this.#text.charCodeAt(++this.#at);
    return this.#text.slice(start, this.#at);
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? "";
    if (letter !== "u") {
      const plain = escapes[letter];
      if (plain === undefined) throw this.#error("unknown escape");
      return plain;
    }
    const hex = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#error("unknown escape");
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #number(): number | NumberText {
    numberPattern.lastIndex = this.#at;
    const text = numberPattern.exec(this.#text)?.[0];
    if (text === undefined) throw this.#error(this.#at < this.#text.length ? "unexpected character" : "unexpected end");
    this.#at += text.length;
    const value = Number(text);
    return String(value) === text ? value : new NumberText(text);
  }

  #word<Value extends boolean | null>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error("unexpected character");
    this.#at += word.length;
    return value;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #error(reason: string): JsonSyntaxError {
    return new JsonSyntaxError(reason, this.#at);
  }
}
