/**
 * An agent's program asks the merchant's own API by way of the gateway, in that API's own words:
 * enter → connector → hours, network, purpose → route → decide → parameters → ask upstream → records → row rules, mask → log, await durable → release
 *
 * What comes back is built from the records, each by the same decision as one of the vault. Nothing of it is kept, unless the contract says so (recall.ts).
 */
import { type AuditPromise, type EntryDraft, Undisclosed } from "../audit/index.ts";
import {
  bodyOf,
  type Carriage,
  type Condition,
  type Connector,
  type ConnectorRoute,
  linksIn,
  type PageLink,
  type Query,
  routeOf,
  withCursors,
} from "../connectors/index.ts";
import { type Json, ok, type Refusal, type Result } from "../kernel/index.ts";
import { type Decision, decide, rulesFor } from "../policy/index.ts";
import { addRefusal, type Connectors, type GatePlace, type Registered, type Way } from "../upstream/index.ts";
import type { Ask, Disclosure } from "./ask.ts";
import { enter, type Inside, noteMiss, type Occasion, occasionOf } from "./disclose.ts";
import { deny, denyDraft, disclosedDraft, draftOf, excludedDraft } from "./entries.ts";
import { glassDraft } from "./glass.ts";
import { askOrRecall } from "./recall.ts";
import { readUpstreamQuestion, sealingOf } from "./upstream-question.ts";
import { own, treat } from "./upstream-records.ts";

export interface Upstream extends Disclosure {
  readonly way: Way;
  readonly connectors: Connectors;
  /** Milliseconds. */
  readonly now: () => number;
  /** Where the gateway is: `https://gateway.example`. */
  readonly origin: string;
}

export interface ForwardAsk extends Omit<Ask, "type" | "want"> {
  readonly connector: string;
  readonly path: string;
  readonly query: Query;
  /** Whether it came as a form, by POST. */
  readonly isForm: boolean;
  /** How the token came. */
  readonly carriage: Carriage;
}

export interface Forwarded {
  readonly body: Json;
  readonly links: readonly PageLink[];
  readonly promise: AuditPromise;
}

export function forward(deps: Upstream, asked: ForwardAsk): Promise<Result<Forwarded, Refusal>> {
  return deps.inFlight.run(asked.contract, () => answer(deps, asked));
}

const unknown = { type: "", want: { kind: "upstream", list: false, field: null } } as const;

async function answer(deps: Upstream, asked: ForwardAsk): Promise<Result<Forwarded, Refusal>> {
  const anything: Ask = { ...asked, ...unknown };
  const came = await arrive(deps, anything, asked.connector);
  if (!came.ok) return came;
  const { inside, found, circumstances, glass } = came.value;
  const { connector, place } = found;
  const { bundle, role, log } = inside;
  const { purpose } = circumstances.request;
  const route = routeOf(connector, asked.path, asked.query);
  const type = route?.resource ?? "";
  const decision = decide(bundle, { role, type, purpose });
  const question = route && readUpstreamQuestion(deps, inside, { ...asked, connector, name: asked.connector, route });
  const field = question?.ok ? (question.value.conditions.find(({ kind }) => kind === "search")?.field ?? null) : null;
  const ask: Ask = { ...anything, type, want: { kind: "upstream", list: route?.records.list ?? false, field } };
  const draft = withFacts(draftOf(ask, inside.who, bundle, { ...inside, purpose }), { upstream: asked.connector });
  if (!question || !decision) {
    await noteMiss(deps, ask, inside.who, log);
    return denyDraft(deps, log, draft, { code: "not_found" });
  }
  if (asked.isForm && !takesForms(connector)) return denyDraft(deps, log, draft, { code: "method_not_allowed" });
  if (!takesCarriage(asked.carriage, connector)) return denyDraft(deps, log, draft, { code: "token_missing" });
  if (!question.ok) return denyDraft(deps, log, draft, question.refusal);
  const { conditions, query } = question.value;
  const asking = { connector, inside, route, decision, purpose };
  const refused = checkConditions(asking, conditions) ?? checkTable(asking, asked.query);
  if (refused) return denyDraft(deps, log, draft, refused);

  const said = await askOrRecall(deps, { inside, found, path: asked.path, query });
  const detail = said.ok ? undefined : said.detail;
  const told = withFacts(draft, {
    ...(said.status !== undefined && { upstream_status: said.status }),
    ...(detail !== undefined && { upstream_fault: detail }),
    ...(said.isKept && { upstream_kept: 1 }),
  });
  if (!said.ok && said.alert) await tellOwner(deps, { inside, place, status: said.status });
  if (!said.ok && said.refusal.code === "not_found") await noteMiss(deps, ask, inside.who, log);
  if (!said.ok) return denyDraft(deps, log, told, said.refusal);
  const treated = treat({ connector, route, decision, inside, circumstances, glass, conditions }, said.body);
  if (treated === null) return denyDraft(deps, log, told, { code: "upstream_failed" });
  const { leaving, notHeld, failed } = treated;
  const excluded = excludedDraft(glassDraft(told, glass, leaving), { notHeld, failed });
  // The merchant's ids are numbered: here above all they can be tried.
  if (leaving.length === 0) await noteMiss(deps, ask, inside.who, log);
  if (!route.records.list && leaving.length === 0) return denyDraft(deps, log, excluded, { code: "not_found" });
  const receipt = await deps.audit.append(log, disclosedDraft(excluded, ask, leaving));
  for (const record of leaving) deps.metrics.unknownFields.add(record.unknown, ask.contract, type, "read");
  const shown = new Undisclosed(leaving.map(({ fields }) => fields)).release(receipt);
  const paged = {
    connector,
    route,
    path: asked.path,
    seal: sealingOf(deps, inside, { ...asked, name: asked.connector, route, conditions }),
  };
  const body = withCursors(bodyOf(route, connector, shown), said.body, paged);
  return ok({ body, links: linksIn(said.link, paged), promise: receipt });
}

export interface Arrived extends Occasion {
  readonly inside: Inside;
  readonly found: Registered;
}

/** enter → connector → hours, network, purpose, glass. A refusal has left its entry already. */
export async function arrive(deps: Upstream, ask: Ask, name: string): Promise<Result<Arrived, Refusal>> {
  const entered = await enter(deps, ask, { connector: name });
  if (!entered.ok) return entered;
  const inside = entered.value;
  const { connector: version } = inside.loaded;
  const found = version === undefined ? null : await deps.connectors.connectorOf(deps, inside.keys, name, version);
  if (!found) return deny(deps, ask, inside.who, { code: "not_found" }, { log: inside.log, exists: true, bundle: inside.bundle });
  const occasion = await occasionOf(deps, { ...ask, purpose: ask.purpose ?? found.connector.purpose ?? null }, inside);
  return occasion.ok ? ok({ inside, found, ...occasion.value }) : occasion;
}

interface RefusedCredential {
  readonly inside: Inside;
  readonly place: GatePlace;
  readonly status: number | undefined;
}

/** The upstream takes the merchant's credential no more: in the log, and where its owner looks. Once in a while, not for each question. */
export async function tellOwner(deps: Upstream, { inside, place, status }: RefusedCredential): Promise<void> {
  const { contract, name } = place;
  await deps.audit.append(inside.log, {
    event: "connector.refused",
    actor: { role: "system" },
    outcome: { effect: "deny", code: "credential_refused" },
    facts: { contract, connector: name, ...(status !== undefined && { upstream_status: status }) },
  });
  await addRefusal(deps.database, contract, name);
  deps.way.gates.told(place);
}

/** As the connector has it; and by a Bearer's header always. */
export function takesCarriage(carriage: Carriage, { caller }: Connector): boolean {
  if (typeof carriage === "string") return carriage === "bearer" || carriage === caller;
  return typeof caller !== "string" && caller.header.toLowerCase() === carriage.header;
}

function takesForms(connector: Connector): boolean {
  return "forms" in connector && connector.forms;
}

interface Asking {
  readonly connector: Connector;
  readonly inside: Inside;
  readonly route: ConnectorRoute;
  readonly decision: Decision;
  readonly purpose: string;
}

/** By fields that may be asked by: searched where the policy lets it be, compared and sorted where the agent is shown it whole. */
function checkConditions(asking: Asking, conditions: readonly Condition[]): Refusal | null {
  for (const { kind, field, pointer } of conditions) {
    if (kind === "search" ? own(asking.decision.resource.fields, field)?.search !== true : !isShownWhole(asking, field))
      return { code: "not_permitted", errors: [{ pointer, code: kind === "search" ? "not_searchable" : "not_shown" }] };
  }
  return null;
}

/** Of a table: by the record's own key, by whose it is (which is a name, and no field), or by what is shown whole; and not all of it. */
function checkTable(asking: Asking, query: Query): Refusal | null {
  const { connector, route, decision } = asking;
  if (!("tables" in connector)) return null;
  const { by, id, parameters } = route;
  if (by !== undefined) {
    const isOwn = by === id || (by === decision.resource.subject.path && own(decision.resource.fields, by) === undefined);
    return isOwn || isShownWhole(asking, by) ? null : { code: "not_permitted", errors: [{ pointer: "path", code: "not_shown" }] };
  }
  const isEqual = (name: string) => {
    const parameter = own(parameters, name);
    return typeof parameter === "object" && !("after" in parameter);
  };
  return Object.keys(query).some(isEqual) ? null : { code: "bad_query", errors: [{ pointer: "query", code: "missing" }] };
}

function isShownWhole({ inside: { bundle, role }, route, purpose }: Asking, field: string): boolean {
  const [first] = rulesFor(bundle, { role, type: route.resource, purpose }, field);
  return first?.treatment === "reveal" && first.when === undefined;
}

export function withFacts(draft: EntryDraft, facts: NonNullable<EntryDraft["facts"]>): EntryDraft {
  return { ...draft, facts: { ...draft.facts, ...facts } };
}
