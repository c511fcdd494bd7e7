/**
 * A first connector, and a first policy, from what a merchant's API answered: where records lie, and which fields they have. Nothing of a policy drafted here
 * leaves: no role sees a field. Of the samples only keys are repeated, never a value; a key that could be one is left out.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, ok, type Result, refuse } from "../kernel/index.ts";
import { type DataClass, parsePath } from "../masking/index.ts";

export interface Sample {
  /** As it was asked for: `/api/orders/17.json`. */
  readonly path: string;
  readonly body: Json;
}

export interface Draft {
  /** YAML, as the policy. */
  readonly connector: string;
  readonly policy: string;
  /** Paths whose answers hold no records with an id, and which are no routes therefore. */
  readonly without: readonly string[];
}

interface Found {
  /** `/api/orders/{id}.json` */
  readonly template: string;
  readonly resource: string;
  readonly id: string;
  /** `body.orders[]` */
  readonly place: string;
  readonly records: readonly JsonObject[];
}

const fieldsMax = 500;
const keyPattern = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const segmentPattern = /^[A-Za-z0-9][A-Za-z0-9._~-]*$/;

/** Refused where no sample holds records. */
export function draftConnector(name: string, samples: readonly Sample[]): Result<Draft, "no records"> {
  const found = new Map<string, Found>();
  const without: string[] = [];
  for (const { path, body } of samples) {
    const template = templateOf(path);
    const records = findRecords(body);
    const known = found.get(template);
    if (records === null) without.push(template);
    else if (known === undefined)
      found.set(template, { ...records, template, resource: resourceOf(name, records.key ?? lastWord(template)) });
    else if (known.place === records.place) found.set(template, { ...known, records: [...known.records, ...records.records] });
  }
  if (found.size === 0) return refuse("no records");
  const all = [...found.values()];
  return ok({
    connector: connectorText(name, all),
    policy: policyText(name, all),
    without: [...new Set(without)].filter((template) => !found.has(template)),
  });
}

function resourceOf(name: string, word: string): string {
  return `${name.replaceAll("-", "_")}_${nameOf(word)}`.slice(0, 32);
}

/** A segment that is a number, a UUID or long and mixed stands for an id; what is no plain segment is one as well. */
function templateOf(path: string): string {
  const segments = (path.split("?")[0] ?? "").split("/").filter((segment) => segment !== "");
  return `/${segments.map(segmentOf).join("/")}`;
}

function segmentOf(segment: string): string {
  const [, stem = segment, ending = ""] = /^(.*?)(\.[a-z]{1,5})?$/.exec(segment) ?? [];
  // Versions as Shopify's, 2026-07, are none.
  const isId = /^[0-9]+$/.test(stem) || /^[0-9a-f-]{32,}$/i.test(stem) || !segmentPattern.test(stem);
  return isId ? `{id}${segmentPattern.test(`a${ending}`) ? ending : ""}` : segment;
}

/** Of the last segment that is no id: `orders`. */
function lastWord(template: string): string {
  const words = template.split("/").filter((segment) => segment !== "" && !segment.includes("{id}"));
  return (words.at(-1) ?? "record").replace(/\..*$/, "");
}

/** One of them, as the policy names it: `orders` → `order`. */
function nameOf(word: string): string {
  const plain =
    word
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "_")
      .replaceAll(/^_+|_+$/g, "") || "record";
  return plain.endsWith("ies") ? `${plain.slice(0, -3)}y` : plain.replace(/([^s])s$/, "$1");
}

/** The outermost place where there are objects with an id. `null` = nowhere. */
function findRecords(body: Json): (Pick<Found, "id" | "place" | "records"> & { readonly key: string | null }) | null {
  let places: { readonly keys: readonly string[]; readonly value: Json }[] = [{ keys: [], value: body }];
  for (let depth = 0; depth < 4; depth++) {
    for (const { keys, value } of places) {
      const list = isJsonArray(value);
      const records = (list ? value : [value]).filter(isJsonObject);
      const id = idOf(records);
      if (id !== null) return { id, records, key: keys.at(-1) ?? null, place: `${["body", ...keys].join(".")}${list ? "[]" : ""}` };
    }
    places = places.flatMap(({ keys, value }) =>
      isJsonObject(value)
        ? Object.entries(value).flatMap(([key, member]) => (keyPattern.test(key) ? [{ keys: [...keys, key], value: member }] : []))
        : [],
    );
  }
  return null;
}

/** `id`, or the first key that says of itself that it is one; in every record. */
function idOf(records: readonly JsonObject[]): string | null {
  const [first] = records;
  if (first === undefined) return null;
  const names = ["id", ...Object.keys(first).filter((key) => /^(entity_id|uuid|tid|[a-z]+_?(id|no|number))$/i.test(key))];
  const holds = (name: string) =>
    records.every((record) => Object.hasOwn(record, name) && !isContainer(record[name]) && record[name] !== null);
  return names.find(holds) ?? null;
}

function isContainer(value: Json | undefined): boolean {
  return value !== undefined && (isJsonArray(value) || isJsonObject(value));
}

function connectorText(name: string, found: readonly Found[]): string {
  const routes = found.map(({ template, resource, id, place }) =>
    [`  - get: ${template}`, `    resource: ${resource}`, ...(id === "id" ? [] : [`    id: ${id}`]), `    records: ${place}`].join("\n"),
  );
  return `# A first connector, drafted from sample answers; the language is explained in policies/connectors/shopify.yaml.
# To be looked at: where it leads, how the credential is carried, which parameters may be asked with, what an error looks like.
connector: ${name}
base: https://{host}
settings: { host: host }
authentication: bearer
caller: bearer
limits: { seconds: 10, bytes: 1048576, records: 100 }
routes:
${routes.join("\n")}
`;
}

function policyText(name: string, found: readonly Found[]): string {
  const resources = [...new Set(found.map(({ resource }) => resource))].map((resource) => {
    const records = found.filter((one) => one.resource === resource).flatMap((one) => one.records);
    const fields = fieldsOf(records).map((path) => `      ${quoted(path)}: { class: ${classOf(path)} }`);
    return `  ${resource}:\n    subject: id\n    fields:\n${fields.join("\n")}\n`;
  });
  const roles = [...new Set(found.map(({ resource }) => resource))].map((resource) => `    ${resource}: {}\n`);
  return `# A first policy for ${name}, drafted from sample answers: which fields there are. Classes are guessed by names of keys, and where nothing is guessed it is
# free_text, which no mask shows. Nobody sees a field before a role names it, and what is not here is withheld. Whose record it is (subject) is to be said.
resources:
${resources.join("\n")}
roles:
  first_line:
${roles.join("")}`;
}

/** Sorted. Where something is a value here and holds more there, only what it holds is named. */
function fieldsOf(records: readonly JsonObject[]): string[] {
  const paths = new Set<string>();
  for (const record of records) collect(record, "", paths);
  const sorted = [...paths].filter((path) => parsePath(path) !== null && !isSecret(path)).sort();
  const isAround = (path: string) => sorted.some((other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[]`));
  return sorted.filter((path) => !isAround(path)).slice(0, fieldsMax);
}

function collect(value: Json | undefined, at: string, paths: Set<string>): void {
  if (value !== undefined && isJsonArray(value)) for (const item of value) collect(item, `${at}[]`, paths);
  else if (value !== undefined && isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) if (keyPattern.test(key)) collect(member, at === "" ? key : `${at}.${key}`, paths);
  } else if (at !== "") paths.add(at);
}

function quoted(path: string): string {
  return path.includes("[") ? `"${path}"` : path;
}

function lastKey(path: string): string {
  return path
    .slice(path.lastIndexOf(".") + 1)
    .replaceAll("[]", "")
    .toLowerCase();
}

/** What opens something is in no policy, so that it is not even stored. */
function isSecret(path: string): boolean {
  return /token|secret|password|passwd|(^|_)key$|signature/.test(lastKey(path));
}

/** In the order in which they are tried. */
const guesses: readonly (readonly [RegExp, DataClass])[] = [
  [/mail/, "email"],
  [/phone|mobile|(^|_)tel(ephone)?|fax/, "phone"],
  [/(^|_)ip($|_)/, "ip_address"],
  [/birth|(^|_)dob$/, "birth_date"],
  [/nick|user_?name|login/, "nickname"],
  [/note|comment|message|content|desc|subject|title|remark|memo|body/, "free_text"],
  [/address|street|city|provin|(^|_)state$|region|district|town|zip|post_?code|country/, "address"],
  [/name|contact|recipient|receiver/, "person_name"],
];

function classOf(path: string): DataClass {
  return guesses.find(([pattern]) => pattern.test(lastKey(path)))?.[1] ?? "free_text";
}
