/** What is told a directory: resources, lists and errors as RFC 7643 and 7644 write them. */
import type { Answer, RefusalForm } from "../http/index.ts";
import { type Refusal, type Result, refusals, refuse } from "../kernel/index.ts";

export const media = "application/scim+json";
export const userSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
export const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";
const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error";
const listSchema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/** RFC 7644 §3.12, those that are told here. */
export type ScimType =
  | "uniqueness"
  | "invalidFilter"
  | "invalidSyntax"
  | "invalidPath"
  | "invalidValue"
  | "mutability"
  | "noTarget"
  | "tooMany";

/** `detail` says what is wrong by the attribute's name, never by its value. */
export interface ScimRefusal {
  readonly status: 400 | 404 | 409 | 412;
  readonly scimType?: ScimType;
  readonly detail: string;
}

export type Told<Value> = Result<Value, ScimRefusal>;

export function refuseAs(scimType: ScimType, detail: string): Told<never> {
  return refuse({ status: scimType === "uniqueness" ? 409 : 400, scimType, detail });
}

export const notThere: Told<never> = refuse({ status: 404, detail: "There is no such resource" });
export const changedMeanwhile: Told<never> = refuse({ status: 412, detail: "The resource has another version by now" });

export function answerRefusal({ status, scimType, detail }: ScimRefusal): Answer {
  return { status, media, body: errorText(status, detail, scimType) };
}

/** Of what was refused before anything of SCIM's was looked at. */
export const refusalForm: RefusalForm = {
  media,
  body: ({ code }: Refusal) => errorText(refusals[code].status, refusals[code].en, code === "bad_json" ? "invalidSyntax" : undefined),
};

function errorText(status: number, detail: string, scimType: ScimType | undefined): string {
  return JSON.stringify({ schemas: [errorSchema], status: String(status), ...(scimType !== undefined && { scimType }), detail });
}

/** As a client gets it: `meta.version` is its ETag. */
export interface Resource {
  readonly schemas: readonly string[];
  readonly id: string;
  readonly meta: { readonly location: string; readonly version: string };
}

export function answerResource(resource: Resource, shown: Shown, status = 200): Answer {
  const { location, version } = resource.meta;
  const headers = { etag: version, ...(status === 201 && { location }) };
  return { status, headers, media, body: JSON.stringify(showOnly(resource, shown)) };
}

export const answerNothing: Answer = { status: 204, media, body: null };

export function answerDocument(document: object): Answer {
  return { status: 200, media, body: JSON.stringify(document) };
}

export interface Listed {
  readonly resources: readonly object[];
  readonly total: number;
  readonly startIndex: number;
}

export function answerList({ resources, total, startIndex }: Listed): Answer {
  return answerDocument({
    schemas: [listSchema],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  });
}

/** Which attributes are asked for, by their names in lower case (RFC 7644 §3.9). `null` = all. */
export interface Shown {
  readonly only: ReadonlySet<string> | null;
  readonly not: ReadonlySet<string>;
}

export function shownOf({ attributes, excludedAttributes }: Readonly<Record<string, string>>): Shown {
  return { only: attributes === undefined ? null : namesOf(attributes), not: namesOf(excludedAttributes ?? "") };
}

export function isShown({ only, not }: Shown, attribute: string): boolean {
  return (only === null || only.has(attribute)) && !not.has(attribute);
}

/** `members.value` asks for `members`: which parts of one are told is not chosen here. */
function namesOf(text: string): ReadonlySet<string> {
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  return new Set(names.map((name) => name.replace(/^urn:[\w.:-]*:/, "").replace(/\..*$/s, "")));
}

/** `schemas` and `id` are always told. */
export function showOnly(resource: Resource, shown: Shown): object {
  const isTold = (name: string) => name === "schemas" || name === "id" || isShown(shown, name.toLowerCase());
  return Object.fromEntries(Object.entries(resource).filter(([name]) => isTold(name)));
}

/** RFC 7232 §3.1, with the weak comparison that SCIM's versions have. `null` = the client names none. */
export function isMatched(ifMatch: string | null, version: string): boolean {
  if (ifMatch === null || ifMatch.trim() === "*") return true;
  const weak = (tag: string) => tag.trim().replace(/^W\//, "");
  return ifMatch.split(",").some((tag) => weak(tag) === weak(version));
}
