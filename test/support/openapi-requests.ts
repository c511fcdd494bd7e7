/** Requests made from an OpenAPI document: such as it allows, and the same with something wrong in them. */
import * as fc from "fast-check";
import { pathTails } from "../../src/http/route.ts";

export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly Problem: Schema } };
}

export interface NamedOperation extends Operation {
  /** `GET /v1/me` */
  readonly route: string;
  readonly method: string;
  readonly path: string;
}

export function operationsOf({ paths }: OpenApiDocument): NamedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      ...{ method: method.toUpperCase(), path, route: `${method.toUpperCase()} ${path}` },
    })),
  );
}

export interface GeneratedRequest {
  readonly route: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** `known`: by a path parameter's name, values of things that are there. `odd`: strings that go where any string may. */
export function requestOf(
  operation: NamedOperation,
  known: Readonly<Record<string, readonly string[]>>,
  odd: readonly string[],
): fc.Arbitrary<GeneratedRequest> {
  const oddString = fc.oneof(fc.constantFrom(...odd), fc.string({ unit: "binary" }));
  const textOf = ({ name, schema }: Parameter) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...(known[name] ?? ["x-1"])) },
      { weight: 3, arbitrary: allowedBy(schema, odd).map(String) },
      { weight: 1, arbitrary: oddString },
    );
  const placed = (where: Parameter["in"]) => operation.parameters.filter((parameter) => parameter.in === where);
  const path = fc.record(Object.fromEntries(placed("path").map((parameter) => [parameter.name, textOf(parameter)])));
  const query = fc.record(Object.fromEntries(placed("query").map((parameter) => [parameter.name, textOf(parameter)])), {
    requiredKeys: placed("query").flatMap(({ name, required }) => (required ? [name] : [])),
  });
  return fc.record({ path, query, content: contentOf(operation, odd), headers: headersOf() }).map((parts) => {
    const filled = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => pathSegment(name, parts.path[name] ?? ""));
    const asked = new URLSearchParams(parts.query).toString();
    const media: Record<string, string> = parts.content ? { "content-type": parts.content.media } : {};
    return {
      ...{ route: operation.route, method: operation.method },
      path: asked === "" ? filled : `${filled}?${asked}`,
      headers: { ...media, ...parts.headers },
      body: parts.content?.body,
    };
  });
}

/** As a client writes it that escapes what has to be; nothing at all, or a way up, would be another route. */
function pathSegment(name: string, text: string): string {
  const escaped = encodeURIComponent(text.toWellFormed());
  if (escaped === "" || /^(\.|%2e){1,2}$/i.test(escaped)) return "-";
  return pathTails.has(name) ? escaped.replaceAll("%2F", "/").replace(/\.\.|\/\//g, "-") : escaped;
}

function headersOf(): fc.Arbitrary<Record<string, string>> {
  const some = (values: readonly string[]) => fc.option(fc.constantFrom(...values), { freq: 10, nil: "" });
  return fc
    .record({
      accept: some(["*/*", "application/json", "text/html", "application/pdf", "text/html;q=x", ",", "a/b"]),
      "idempotency-key": some(["k1", "k2", "k".repeat(300), '"k"', " "]),
      range: some(["bytes=0-", "bytes=9999999999-", "bytes=-1", "x"]),
      "if-none-match": some(["*", '"x"']),
    })
    .map((headers) => Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== "")));
}

function contentOf(operation: NamedOperation, odd: readonly string[]): fc.Arbitrary<{ media: string; body: string } | null> {
  const [described] = Object.entries(operation.requestBody?.content ?? {});
  if (!described) return fc.constant(null);
  const [media, { schema }] = described;
  const text = media === "application/json" ? bodyTextOf(schema, odd) : linesOf(odd);
  const medium = fc.oneof({ weight: 30, arbitrary: fc.constant(media) }, { weight: 1, arbitrary: fc.constantFrom("text/plain", "x") });
  return fc.record({ media: medium, body: text });
}

/** Rows of a CSV, lines of NDJSON, and what is neither. */
function linesOf(odd: readonly string[]): fc.Arbitrary<string> {
  const cell = fc.oneof(fc.constantFrom("demo", "agent-1", "first_line", "林小满", ...odd), fc.string());
  const row = fc.array(cell, { minLength: 3, maxLength: 5 }).map((cells) => cells.join(","));
  const line = fc.record({ id: cell, name: cell, phone: fc.jsonValue() }).map((record) => JSON.stringify(record));
  const lines = fc.array(fc.oneof(row, line, cell), { maxLength: 8 });
  return fc.tuple(fc.constantFrom("issuer,subject,role,name\n", ""), lines).map(([header, all]) => header + all.join("\n"));
}

/** A body that the schema allows; or that, with something put in, left out, nested or cut off. */
function bodyTextOf(schema: Schema, odd: readonly string[]): fc.Arbitrary<string> {
  const valid = allowedBy(schema, odd);
  const wrong = fc.constantFrom<unknown>(null, true, -1, 1e308, [], {}, [[[[]]]], "", { toString: 1 }, ...odd.slice(0, 40));
  const replaced = fc.tuple(valid, fc.nat(), wrong).map(([value, place, other]) => JSON.stringify(replaceLeaf(value, place, other)));
  const added = fc
    .tuple(valid, fc.constantFrom("__proto__", "constructor", "extra", "id", ""), wrong)
    .map(([value, name, other]) =>
      typeof value === "object" && value !== null ? JSON.stringify({ ...value, [name]: other }) : JSON.stringify(value),
    );
  const cut = fc.tuple(valid, fc.nat(200)).map(([value, length]) => JSON.stringify(value).slice(0, length));
  const text = valid.map((value) => JSON.stringify(value));
  return fc.oneof({ weight: 4, arbitrary: text }, { weight: 4, arbitrary: replaced }, added, cut, fc.string({ unit: "binary" }));
}

/** The leaf that comes `place`th, counted round. */
function replaceLeaf(value: unknown, place: number, other: unknown): unknown {
  const count = leavesOf(value);
  let left = place % count;
  const walk = (at: unknown): unknown => {
    if (typeof at !== "object" || at === null || Object.keys(at).length === 0) return left-- === 0 ? other : at;
    if (Array.isArray(at)) return at.map(walk);
    return Object.fromEntries(Object.entries(at).map(([name, member]) => [name, walk(member)]));
  };
  return walk(value);
}

function leavesOf(value: unknown): number {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + leavesOf(member), 0);
}

/** A value that the schema allows. */
function allowedBy(schema: Schema, odd: readonly string[]): fc.Arbitrary<unknown> {
  const inner = (of: Schema) => allowedBy(of, odd);
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(inner));
  switch (schema.type) {
    case "string":
      return stringOf(schema, odd);
    case "integer":
      return fc.integer({ min: Math.max(schema.minimum ?? -10, -1e9), max: Math.min(schema.maximum ?? 1e6, 1e9) });
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(inner(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 4, 4) });
    case "object":
      return objectOf(schema, odd);
    default:
      return fc.jsonValue();
  }
}

function objectOf(schema: Schema, odd: readonly string[]): fc.Arbitrary<unknown> {
  const members = Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, member]) => [name, allowedBy(member, odd)]));
  const named = fc.record(members, { requiredKeys: [...(schema.required ?? [])] });
  if (typeof schema.additionalProperties !== "object") return named;
  const others = fc.dictionary(stringOf(schema.propertyNames ?? {}, odd), allowedBy(schema.additionalProperties, odd), { maxKeys: 3 });
  return fc.tuple(named, others).map(([own, more]) => ({ ...more, ...own }));
}

function stringOf({ format, pattern, minLength = 0, maxLength = 60 }: Schema, odd: readonly string[]): fc.Arbitrary<string> {
  if (format === "date-time") {
    const noInvalidDate = true;
    return fc.date({ noInvalidDate, min: new Date("1990-01-01"), max: new Date("2100-01-01") }).map((date) => date.toISOString());
  }
  // Classes of Unicode's are too many to choose from.
  if (pattern?.includes("\\p{")) return fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: Math.min(maxLength, 20) });
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, "u"));
  const fitting = odd.filter(({ length }) => length >= minLength && length <= maxLength);
  const plain = fc.string({ minLength, maxLength: Math.min(maxLength, 60), unit: "binary" });
  const known = fc.constantFrom("customer", "c-test", "agent-1", "demo", "2026-12-01", "30d", "now", "U0");
  return fitting.length === 0 ? plain : fc.oneof(plain, fc.constantFrom(...fitting), known);
}
