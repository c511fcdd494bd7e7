/**
 * An agent's program asks the merchant's own API by way of the gateway, in that API's own words:
 * enter → connector → hours, network, purpose → route → decide → parameters → ask upstream → records → row rules, mask → log, await durable → release
 *
 * What comes back is built from the records, each by the same decision as one of the vault. Nothing of it is kept.
 */
import { type AuditPromise, type EntryDraft, Undisclosed } from "../audit/index.ts";
import {
  bodyOf,
  type Carriage,
  type Connector,
  type ConnectorRoute,
  parseConnectorText,
  recordsIn,
  routeOf,
  takesValue,
  textAt,
} from "../connectors/index.ts";
import { type Json, type JsonObject, type Locator, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { normalize } from "../masking/index.ts";
import { type Circumstances, type Decision, decide, rulesFor, type Shown, showDocument, sortFields } from "../policy/index.ts";
import { locatorOf } from "../records/index.ts";
import { type Asked, askUpstream, openCredential, type Reach, selectConnector } from "../upstream/index.ts";
import type { Ask, Disclosure } from "./ask.ts";
import { circumstancesIn, enter, type Inside } from "./disclose.ts";
import { deny, denyDraft, disclosedDraft, draftOf, excludedDraft } from "./entries.ts";

export interface Upstream extends Disclosure {
  readonly reach: Reach;
}

export interface ForwardAsk extends Omit<Ask, "type" | "want"> {
  readonly connector: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** How the token came. */
  readonly carriage: Carriage;
}

export interface Forwarded {
  readonly body: Json;
  readonly promise: AuditPromise;
}

export function forward(deps: Upstream, asked: ForwardAsk): Promise<Result<Forwarded, Refusal>> {
  return deps.inFlight.run(asked.contract, () => answer(deps, asked));
}

const unknown = { type: "", want: { kind: "upstream", list: false, field: null } } as const;

async function answer(deps: Upstream, asked: ForwardAsk): Promise<Result<Forwarded, Refusal>> {
  const anything: Ask = { ...asked, ...unknown };
  const entered = await enter(deps, anything);
  if (!entered.ok) return entered;
  const inside = entered.value;
  const found = await findConnector(deps, asked, inside);
  if (!found) return deny(deps, anything, inside.who, { code: "not_found" }, { log: inside.log, exists: true, bundle: inside.bundle });
  const circumstances = await circumstancesIn(deps, { ...anything, purpose: asked.purpose ?? found.connector.purpose ?? null }, inside);
  if (!circumstances.ok) return circumstances;
  const { bundle, role, log } = inside;
  const { purpose } = circumstances.value.request;
  const route = routeOf(found.connector, asked.path);
  const type = route?.resource ?? "";
  const decision = decide(bundle, { role, type, purpose });
  const ask: Ask = {
    ...anything,
    type,
    want: { kind: "upstream", list: route?.records.list ?? false, field: searchedBy(route, asked.query) },
  };
  const draft = withFacts(draftOf(ask, inside.who, bundle, { ...inside, purpose }), { upstream: asked.connector });
  if (!route || !decision) return denyDraft(deps, log, draft, { code: "not_found" });
  if (!arrived(asked.carriage, found.connector)) return denyDraft(deps, log, draft, { code: "token_missing" });
  const parameters = checkParameters({ inside, route, decision, purpose }, asked.query);
  if (!parameters.ok) return denyDraft(deps, log, draft, parameters.refusal);

  const said = await askUpstream(deps.reach, found.connector, { ...asked, credential: found.credential });
  const told = withFacts(draft, said.status === undefined ? {} : { upstream_status: said.status });
  const treated = treat({ connector: found.connector, route, decision, inside, circumstances: circumstances.value }, said, asked.query);
  if (!treated.ok) return denyDraft(deps, log, told, treated.refusal);
  const { leaving, notHeld, failed } = treated.value;
  const excluded = excludedDraft(told, { notHeld, failed });
  if (!route.records.list && leaving.length === 0) return denyDraft(deps, log, excluded, { code: "not_found" });
  const receipt = await deps.audit.append(log, disclosedDraft(excluded, ask, leaving));
  for (const record of leaving) deps.metrics.unknownFields.add(record.unknown, ask.contract, type, "read");
  const body = new Undisclosed(
    bodyOf(
      route,
      leaving.map(({ fields }) => fields),
    ),
  ).release(receipt);
  return ok({ body, promise: receipt });
}

interface Found {
  readonly connector: Connector;
  readonly credential: string;
}

/** `null` = none of that name, or somebody changed it where it lies. */
async function findConnector(deps: Upstream, { contract, connector: name }: ForwardAsk, { keys }: Inside): Promise<Found | null> {
  const stored = await selectConnector(deps.database, contract, name);
  if (!stored) return null;
  const { compiled } = stored;
  const credential = openCredential(deps.aead, keys.locator, { contract, name, compiled }, stored.credential);
  return credential === null ? null : { connector: parseConnectorText(compiled), credential };
}

/** As the connector has it; and by a Bearer's header always. */
function arrived(carriage: Carriage, { caller }: Connector): boolean {
  if (typeof carriage === "string") return carriage === "bearer" || carriage === caller;
  return typeof caller !== "string" && caller.header.toLowerCase() === carriage.header;
}

/** The first parameter that searches. */
function searchedBy(route: ConnectorRoute | null, query: ForwardAsk["query"]): string | null {
  for (const name of Object.keys(query)) {
    const parameter = own(route?.parameters ?? {}, name);
    if (typeof parameter === "object" && "search" in parameter) return parameter.search;
  }
  return null;
}

interface Asking {
  readonly inside: Inside;
  readonly route: ConnectorRoute;
  readonly decision: Decision;
  readonly purpose: string;
}

/** Known, of its kind, and by a field that may be asked by: searched where the policy lets it be, compared where the agent is shown it whole. */
function checkParameters(
  { inside: { bundle, role }, route, decision, purpose }: Asking,
  query: ForwardAsk["query"],
): Result<void, Refusal> {
  for (const [name, value] of Object.entries(query)) {
    const parameter = own(route.parameters, name);
    if (parameter === undefined) return refuse({ code: "bad_query", errors: [{ pointer: "query", code: "unknown" }] });
    if (!takesValue(parameter, value)) return refuse({ code: "bad_query", errors: [{ pointer: `query:${name}`, code: "grammar" }] });
    if (typeof parameter === "string" || "one_of" in parameter) continue;
    const isSearch = "search" in parameter;
    const path = isSearch ? parameter.search : parameter.filter;
    const [first] = rulesFor(bundle, { role, type: route.resource, purpose }, path);
    const isWhole = first?.treatment === "reveal" && first.when === undefined;
    if (isSearch ? own(decision.resource.fields, path)?.search !== true : !isWhole)
      return refuse({ code: "not_permitted", errors: [{ pointer: `query:${name}`, code: isSearch ? "not_searchable" : "not_shown" }] });
  }
  return ok(undefined);
}

interface Treating {
  readonly connector: Connector;
  readonly route: ConnectorRoute;
  readonly decision: Decision;
  readonly inside: Inside;
  readonly circumstances: Circumstances;
}

interface Leaving {
  readonly record: { readonly locator: Locator };
  readonly subject: string | undefined;
  readonly settled: Shown["settled"];
  readonly left: Shown["left"];
  readonly fields: JsonObject;
  readonly unknown: number;
}

interface Treated {
  readonly leaving: readonly Leaving[];
  readonly notHeld: number;
  readonly failed: number;
}

function treat(
  { connector, route, decision, inside, circumstances }: Treating,
  said: Asked,
  query: ForwardAsk["query"],
): Result<Treated, Refusal> {
  if (!said.ok) return refuse({ code: said.refusal });
  const records = recordsIn(said.body, route, connector.limits.records);
  if (records === null) return refuse({ code: "upstream_failed" });
  const { keys } = inside;
  const leaving: Leaving[] = [];
  let [notHeld, failed] = [0, 0];
  for (const { id, document } of records) {
    // What the upstream thinks is alike is not what was asked for.
    if (!matches(route, decision, document, query)) continue;
    const shown = showDocument(decision, circumstances, document, keys.pseudonym);
    if (shown === "fails_to_hold") notHeld++;
    else if (shown === "failed") failed++;
    else
      leaving.push({
        ...shown,
        record: { locator: locatorOf(keys.locator, route.resource, id) },
        subject: subjectOf(decision, inside, document, id),
      });
  }
  return ok({ leaving, notHeld, failed });
}

/** Whatever was searched for is in it, exactly, in any spelling. */
function matches({ parameters }: ConnectorRoute, { resource }: Decision, document: JsonObject, query: ForwardAsk["query"]): boolean {
  return Object.entries(query).every(([name, value]) => {
    const parameter = own(parameters, name);
    if (typeof parameter !== "object" || !("search" in parameter)) return true;
    const field = own(resource.fields, parameter.search);
    const wanted = field && normalize(field.class, value);
    return sortFields(resource, document).searchable.some((found) => found.field === parameter.search && found.value === wanted);
  });
}

/** Whose record it is, by the name that they have in the vault as well. `undefined` = it does not say. */
function subjectOf({ resource: { subject } }: Decision, { keys }: Inside, document: JsonObject, id: string): string | undefined {
  const named = subject.path === null ? id : textAt(document, subject.path);
  return named === null ? undefined : locatorOf(keys.locator, subject.type, named);
}

function withFacts(draft: EntryDraft, facts: NonNullable<EntryDraft["facts"]>): EntryDraft {
  return { ...draft, facts: { ...draft.facts, ...facts } };
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
