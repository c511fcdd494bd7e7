/**
 * The part of SCIM's language of filters and paths that is taken (RFC 7644 §3.4.2.2, §3.5.2): one attribute that equals one literal, and paths with one such
 * filter at most. Whatever else the grammar has is refused by its name; nothing is half understood. Pure.
 */
import { ok } from "../kernel/index.ts";
import { groupSchema, refuseAs, type Told, userSchema } from "./told.ts";

const textMax = 1_024;
const coreSchemas = "urn:ietf:params:scim:schemas:core:";
const name = "[A-Za-z$][A-Za-z0-9_$-]*";
const filterForm = new RegExp(`^ *((?:urn:[A-Za-z0-9_.:-]+:)?${name}(?:\\.${name})?) +eq *("(?:[^"\\\\]|\\\\.)*"|true|false) *$`, "i");
const pathForm = new RegExp(`^(urn:[A-Za-z0-9_.:-]+:)?(${name})(?:\\[(.*)\\])?(?:\\.(${name}))?$`, "s");

/** `attribute`: in lower case, without the URN of a core schema. */
export interface Comparison {
  readonly attribute: string;
  readonly value: string | boolean;
}

export interface Path {
  readonly attribute: string;
  /** `formatted` of `name.formatted`. */
  readonly part: string | null;
  readonly filter: Comparison | null;
  /** Of another schema than the core's. */
  readonly isExtension: boolean;
}

export function parseFilter(text: string): Told<Comparison> {
  const refused = refuseAs("invalidFilter", 'The filter is not of the form `attribute eq "value"`');
  const [, attribute, literal] = (text.length <= textMax && filterForm.exec(text)) || [];
  const value = literal === undefined ? null : literalOf(literal);
  if (attribute === undefined || value === null) return refused;
  return ok({ attribute: withoutCore(attribute.toLowerCase()), value });
}

export function parsePath(text: string): Told<Path> {
  const [, urn = "", attribute, inner, part] = (text.length <= textMax && pathForm.exec(text)) || [];
  if (attribute === undefined)
    return refuseAs("invalidPath", "The path is not of the form `attribute`, `attribute.part` or `attribute[filter]`");
  const filter = inner === undefined ? ok(null) : parseFilter(inner);
  if (!filter.ok) return filter;
  const isExtension = urn !== "" && !urn.toLowerCase().startsWith(coreSchemas);
  return ok({ attribute: attribute.toLowerCase(), part: part?.toLowerCase() ?? null, filter: filter.value, isExtension });
}

/** `null` = no JSON literal. */
function literalOf(text: string): string | boolean | null {
  if (!text.startsWith('"')) return text.toLowerCase() === "true";
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

/** In lower case, as everything that names an attribute. */
function withoutCore(attribute: string): string {
  const core = [userSchema, groupSchema].map((schema) => `${schema.toLowerCase()}:`).find((schema) => attribute.startsWith(schema));
  return core === undefined ? attribute : attribute.slice(core.length);
}
