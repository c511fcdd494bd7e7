/**
 * An agent's program writes into the merchant's own API by way of the gateway:
 * enter → connector → hours, network, purpose → route → decide → body → key, claim → the record as it is shown → log, await durable → write → log, await
 * durable → release, remember
 *
 * It is the door of a read, and what comes back is treated as what is read. Crash order: the claim is committed, then the entry that says what will go up, then
 * the upstream has it, then the entry that says what came of it, then the answer is kept. Who dies in between leaves the first entry without the second.
 */
import { type EntryDraft, Undisclosed } from "../audit/index.ts";
import { bodyOf, type ConnectorWrite, idIn, routeOf, type WriteMethod, type WrittenBody, writeOf } from "../connectors/index.ts";
import { type Json, ok, printJson, type Refusal, type Result } from "../kernel/index.ts";
import { type Circumstances, type Decision, decide } from "../policy/index.ts";
import { type Asked, askUpstream, keyWrite, type Registered } from "../upstream/index.ts";
import type { Ask } from "./ask.ts";
import { type Inside, noteMiss } from "./disclose.ts";
import { denyDraft, disclosedDraft, draftOf, excludedDraft } from "./entries.ts";
import { arrive, type ForwardAsk, takesCarriage, tellOwner, type Upstream, withFacts } from "./forward.ts";
import { dropKept } from "./recall.ts";
import { treat } from "./upstream-records.ts";
import { checkAgainst, checkWrite } from "./write-checks.ts";
import { type Ending, type Once, type Written, writeOnce } from "./write-once.ts";

export interface WriteAsk extends Omit<ForwardAsk, "isForm"> {
  readonly method: WriteMethod;
  readonly body: Json;
  /** Their Idempotency-Key; `null` = none. */
  readonly repeatKey: string | null;
}

export function write(deps: Upstream, asked: WriteAsk): Promise<Result<Written, Refusal>> {
  return deps.inFlight.run(asked.contract, () => answer(deps, asked));
}

async function answer(deps: Upstream, asked: WriteAsk): Promise<Result<Written, Refusal>> {
  const anything: Ask = { ...asked, type: "", want: { kind: "write" } };
  const came = await arrive(deps, anything, asked.connector);
  if (!came.ok) return came;
  const { inside, found, circumstances } = came.value;
  const { bundle, role, log, who, digest } = inside;
  const { connector } = found;
  const { purpose } = circumstances.request;
  const route = writeOf(connector, asked.method, asked.path);
  const type = route?.resource ?? "";
  const decision = decide(bundle, { role, type, purpose });
  const ask: Ask = { ...anything, type };
  const draft = withFacts(draftOf(ask, who, bundle, { ...inside, purpose }), { upstream: asked.connector });
  if (!route || !decision) {
    await noteMiss(deps, ask, who, log);
    return denyDraft(deps, log, draft, { code: "not_found" });
  }
  if (!takesCarriage(asked.carriage, connector)) return denyDraft(deps, log, draft, { code: "token_missing" });
  if (Object.keys(asked.query).some((name) => !connector.drops.includes(name)))
    return denyDraft(deps, log, draft, { code: "bad_query", errors: [{ pointer: "query", code: "unknown" }] });
  const checked = checkWrite(route, decision, asked.path, asked.body);
  if (!checked.ok) return denyDraft(deps, log, draft, checked.refusal);
  const writing: Writing = { deps, asked, ask, inside, found, circumstances, route, decision, draft, body: checked.value };
  const keyed = keyWrite(inside.keys.locator, {
    ...{ contract: asked.contract, holder: [who.issuer, who.subject, asked.connector], sent: asked.repeatKey ?? asked.request.id },
    request: [asked.method, asked.path, printJson(asked.body), digest, role, purpose, JSON.stringify(connector)],
  });
  const once: Once<Seen> = {
    ...{ deps, log, draft, keyed, isRepeatable: asked.repeatKey !== null },
    look: () => look(writing),
    act: (seen) => act(writing, seen, keyed.upstreamKey),
  };
  return writeOnce(once);
}

interface Writing {
  readonly deps: Upstream;
  readonly asked: WriteAsk;
  readonly ask: Ask;
  readonly inside: Inside;
  readonly found: Registered;
  readonly circumstances: Circumstances;
  readonly route: ConnectorWrite;
  readonly decision: Decision;
  readonly draft: EntryDraft;
  readonly body: WrittenBody;
}

/** The record that is written into, in the log; none where there is none yet. */
type Seen = NonNullable<EntryDraft["resource"]>["records"];

/** Everything before it goes up. The record has to be there for this agent; the entry that says what will be written is durable when this is done. */
async function look(writing: Writing): Promise<Result<Seen, Refusal>> {
  const { deps, inside, route, draft, body } = writing;
  const seen = route.reads === undefined ? ok([]) : await lookAt(writing, route.reads);
  if (!seen.ok) return seen;
  const fields = [...new Set(body.fields.map(({ path }) => path))];
  await deps.audit.append(inside.log, {
    ...withFacts(draft, { writes: fields }),
    resource: { type: route.resource, records: seen.value, fields: {} },
    outcome: { effect: "allow", code: "sent" },
  });
  return seen;
}

async function lookAt(writing: Writing, reads: string): Promise<Result<Seen, Refusal>> {
  const { deps, asked, ask, inside, found, circumstances, route, draft, body } = writing;
  const { connector, place } = found;
  const id = idIn(route.path, asked.path);
  const path = id === null ? reads : reads.replace("{id}", id);
  const shows = routeOf(connector, path, {});
  const { role, bundle, log, who } = inside;
  const decision = shows && decide(bundle, { role, type: shows.resource, purpose: circumstances.request.purpose });
  if (!decision) return denyDraft(deps, log, draft, { code: "not_found" });
  const said = await askUpstream(deps.way, connector, { ...questionOf(writing, path), query: shows.adds }, place);
  const told = withStatus(draft, said);
  if (!said.ok) return turnBack(writing, said, told);
  const treated = treat({ connector, route: shows, decision, inside, circumstances, conditions: [] }, said.body);
  if (treated === null) return denyDraft(deps, log, told, { code: "upstream_failed" });
  const [record] = treated.leaving;
  if (!record) {
    await noteMiss(deps, ask, who, log);
    return denyDraft(deps, log, excludedDraft(told, treated), { code: "not_found" });
  }
  const against = checkAgainst({ resource: shows.resource, ...record }, route, body.fields);
  if (!against.ok) return denyDraft(deps, log, draft, against.refusal);
  return ok([{ locator: record.record.locator, subject: record.subject }]);
}

/** It goes up, once, and what comes back is treated as what is read. */
async function act(writing: Writing, seen: Seen, upstreamKey: string): Promise<Ending> {
  const { deps, ask, inside, found, circumstances, route, decision, body, draft: sent } = writing;
  const { connector, place } = found;
  const draft = { ...sent, event: "record.written", resource: { type: route.resource, records: seen, fields: {} } } as const;
  const header = "tables" in connector ? undefined : connector.repeatHeader;
  const repeat = header === undefined ? {} : { repeat: { header, key: upstreamKey } };
  const up = { method: route.method, body: printJson(body.up), ...repeat };
  await dropKept(deps, { inside, found });
  const said = await askUpstream(deps.way, connector, { ...questionOf(writing, writing.asked.path), write: up }, place);
  await dropKept(deps, { inside, found });
  const told = withStatus(draft, said);
  if (!said.ok) {
    const refused = await turnBack(writing, said, said.perhapsDone ? withFacts(told, { perhaps_done: 1 }) : told);
    // The upstream itself knows one that comes again.
    const isOver = said.perhapsDone && header === undefined;
    return { result: refused, kept: isOver ? { refusal: said.refusal } : null };
  }
  const treated = treat({ connector, route, decision, inside, circumstances, conditions: [] }, said.body);
  const leaving = treated?.leaving ?? [];
  const entry =
    leaving.length > 0 ? disclosedDraft(told, ask, leaving) : { ...told, outcome: { effect: "allow", code: "written" } as const };
  const receipt = await deps.audit.append(inside.log, entry);
  const [shown] = new Undisclosed(leaving.map(({ fields }) => fields)).release(receipt);
  const text = shown === undefined ? null : printJson(bodyOf(route, connector, [shown]));
  const status = text === null ? 204 : said.status === 201 ? 201 : 200;
  const { type, records, fields } = entry.resource ?? draft.resource;
  return {
    result: ok({ status, body: text, promise: receipt, repeated: false }),
    kept: { status, body: text, resource: { type, records: [...records], fields: { ...fields } } },
  };
}

function questionOf({ deps, found }: Writing, path: string) {
  return { path, query: {}, credential: found.credential, nowMs: deps.now() };
}

function withStatus(draft: EntryDraft, { status }: Asked): EntryDraft {
  return status === undefined ? draft : withFacts(draft, { upstream_status: status });
}

async function turnBack(
  { deps, ask, inside, found }: Writing,
  { alert, status, refusal }: Extract<Asked, { ok: false }>,
  draft: EntryDraft,
): Promise<Result<never, Refusal>> {
  if (alert) await tellOwner(deps, { inside, place: found.place, status });
  if (refusal.code === "not_found") await noteMiss(deps, ask, inside.who, inside.log);
  return denyDraft(deps, inside.log, draft, refusal);
}
