/**
 * The app:  routes of the journeys + the platform's own, onto Hono. Turns faults into what a caller may know.
 */
import type { Context, Hono } from "hono";
import { uuidv7 } from "uuidv7";
import * as z from "zod";
import { AuditUnavailable, type Freshness, LogHalted, selectHalted, selectLate } from "./audit/index.ts";
import { describeStanding, type SinkStanding } from "./copies/index.ts";
import { hostNames, json, type Metrics, openApiDocument, type Route, serve, type TurnedAway } from "./http/index.ts";
import type { Identity } from "./identity/index.ts";
import { ok, type Refusal, refuse } from "./kernel/index.ts";
import { KeysUnavailable, ShareClosed } from "./keys/index.ts";
import { admittedTo, type Offices } from "./offices/index.ts";
import { LogNotPruned } from "./retention/index.ts";
import { type Database, DatabaseUnavailable, databaseNowText } from "./storage/index.ts";

/** What one side serves, and the database that it needs for it. */
export interface Side {
  readonly routes: readonly Route[];
  readonly database: Database;
  /** Leaves the entry of a request that no use case saw. */
  readonly turnedAway: (away: TurnedAway) => Promise<void>;
  /** Every few seconds, and `now` at the end: writes what was counted of callers that nobody knows. */
  readonly settle: (when?: "now") => Promise<void>;
  readonly counted: CountedSide;
  readonly freshness: Freshness;
  /** What it does not do though it could, and why. */
  readonly waiting?: () => Promise<Readonly<Record<string, string>>>;
  /** Where its copies of the log stand, by the other system's name. None of them makes it less ready. */
  readonly copies?: () => Promise<Readonly<Record<string, SinkStanding>>>;
  /** What is to be looked at by a person, and makes it no less ready. */
  readonly alarms?: () => Readonly<Record<string, string>>;
}

/** What the process counts, one for all its sides, and who may read it. */
export interface CountedSide {
  readonly metrics: Metrics;
  readonly identity: Identity;
  readonly offices: Offices;
}

export interface AppOptions {
  readonly version: string;
  /** By whose name the app is asked. */
  readonly origin: string;
  readonly addressOf: (c: Context) => string | undefined;
  /** Default: nobody knows. */
  readonly countryOf?: (c: Context) => string | undefined;
  /** Default: the Fetch request's. */
  readonly headerOf?: (c: Context, name: string) => string | null;
  /** The request line's, as it came. Default: nobody knows. */
  readonly targetOf?: (c: Context) => string | undefined;
  /** Called with faults that nobody expected. */
  readonly report: (fault: unknown) => void;
}

/** One app over the sides that this process serves. */
export function buildApp(sides: readonly Side[], { version, origin, addressOf, countryOf, headerOf, targetOf, report }: AppOptions): Hono {
  const routes = sides.flatMap((side) => side.routes);
  const [counted] = sides.map((side) => side.counted);
  const platform = [
    ...platformRoutes(sides, () => openApiDocument(routes, version, admittedTo)),
    ...(counted ? [metricsRoute(counted)] : []),
  ];
  routes.push(...platform);
  for (const { method, path } of routes) {
    if (admittedTo(`${method} ${path}`).length === 0) throw new Error(`no row of the matrix for ${method} ${path}`);
  }
  const turnedAway = async (route: Route | null, away: TurnedAway): Promise<void> => {
    // The platform's routes say nothing of anybody.
    if (route && platform.includes(route)) return;
    const side = sides.find((candidate) => route === null || candidate.routes.includes(route));
    await side?.turnedAway(away);
  };
  const answered = (route: string, status: number) => counted?.metrics.requests.add(1, route, `${Math.floor(status / 100)}xx`);
  const faults = (fault: unknown) => describeFault(fault, report);
  return serve({
    routes,
    newRequestId: uuidv7,
    hosts: hostNames(origin),
    addressOf,
    countryOf,
    headerOf,
    targetOf,
    turnedAway,
    describeFault: faults,
    answered,
  });
}

function describeFault(fault: unknown, report: (fault: unknown) => void): Refusal {
  // The log is asked about first: it fails because the database does, and the caller is told what that means for them.
  if (fault instanceof AuditUnavailable) return { code: "audit_unavailable" };
  if (fault instanceof ShareClosed) return { code: "share_closed" };
  if (fault instanceof KeysUnavailable) return { code: "keys_unavailable" };
  if (fault instanceof DatabaseUnavailable) return { code: "database_unavailable" };
  report(fault);
  return { code: "fault" };
}

type Told =
  | { readonly event: "fault"; readonly name: string; readonly at: readonly string[] }
  | { readonly event: "halted" | "not pruned"; readonly log: string; readonly reason: string };

/**
 * What is told of a fault that nobody expected: its name and where, never its message, which could quote what it failed on.
 * A log that is halted or not pruned is told of with its reason, which is ours and quotes nothing.
 */
export function describeForOperators(fault: unknown): Told {
  if (fault instanceof LogHalted) return { event: "halted", log: fault.log, reason: fault.reason };
  if (fault instanceof LogNotPruned) return { event: "not pruned", log: fault.log, reason: fault.reason };
  const name = nameOf(fault);
  const frames = fault instanceof Error ? (fault.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  return { event: "fault", name, at: frames.slice(0, 5).map((line) => line.trim()) };
}

/** Of several faults at once, each name once: whether they are one cause is for the operator to see. */
function nameOf(fault: unknown): string {
  if (fault instanceof AggregateError) return [...new Set(fault.errors.map(nameOf))].join(", ");
  return fault instanceof Error ? fault.name : typeof fault;
}

const texts = z.record(z.string(), z.string());
const log = z.object({ merge_delay_seconds: z.int(), disclosure_stops_seconds: z.int() });
const status = z.object({
  status: z.enum(["ok", "failing"]),
  checks: texts,
  log: log.optional(),
  revocations: z.object({ age_seconds: z.literal(0) }),
  issuers: z.object({ keys_age_seconds: z.int() }).optional(),
  waiting: texts.optional(),
  sinks: texts.optional(),
  alarms: texts.optional(),
});
/** How old what is known of them may be: they are read with every request. */
const revocations = { age_seconds: 0 };
const clockSkewMaxMs = 60_000;

function platformRoutes(sides: readonly Side[], openApi: () => string): Route[] {
  let document: string | undefined;
  return [
    {
      method: "GET",
      path: "/healthz",
      anyHost: true,
      summary: "The process answers",
      answers: { 200: { media: "application/json", description: "It does", schema: z.object({ status: z.literal("ok") }) } },
      refusals: [],
      handle: () => Promise.resolve(ok(json('{"status":"ok"}'))),
    },
    {
      method: "GET",
      path: "/readyz",
      anyHost: true,
      summary: "Database and clock",
      answers: {
        200: { media: "application/json", description: "Ready", schema: status },
        503: { media: "application/json", description: "Not ready: which check fails", schema: status },
      },
      refusals: [],
      handle: async () => {
        const checks = await readiness(sides);
        const ready = Object.values(checks).every((check) => check === "ok");
        const [sinks, waiting] = ready ? await Promise.all([sinksOf(sides), waitingOf(sides)]) : [{}, {}];
        const alarms = Object.fromEntries(sides.flatMap((side) => Object.entries(side.alarms?.() ?? {})));
        const isTold = (texts: object) => Object.keys(texts).length > 0;
        const more = { ...(isTold(waiting) && { waiting }), ...(isTold(sinks) && { sinks }), ...(isTold(alarms) && { alarms }) };
        const told = { status: ready ? "ok" : "failing", checks, log: limitsOf(sides), revocations, ...issuersOf(sides), ...more };
        return ok(json(JSON.stringify(told), {}, ready ? 200 : 503));
      },
    },
    {
      method: "GET",
      path: "/openapi.json",
      summary: "This document",
      answers: { 200: { media: "application/json", description: "OpenAPI 3.1" } },
      refusals: [],
      handle: () => {
        document ??= openApi();
        return Promise.resolve(ok(json(document)));
      },
    },
  ];
}

/** Names of contracts and how busy they are: for operators alone. It is no look at anybody's data, so it leaves no entry in a log. */
function metricsRoute({ metrics, identity, offices }: CountedSide): Route {
  return {
    method: "GET",
    path: "/metrics",
    anyHost: true,
    summary: "What this process counted since its start, for Prometheus",
    answers: { 200: { media: "text/plain", description: "Counters, text format 0.0.4" } },
    refusals: [],
    async handle({ caller }) {
      const who = await identity.identify(caller.authorization);
      if (!who.ok) return refuse({ code: who.refusal });
      if (!admittedTo(caller.request.route).includes("operator") || !offices.isOperator(who.value))
        return refuse({ code: "not_permitted" });
      return ok({ status: 200, media: "text/plain; version=0.0.4; charset=utf-8", body: metrics.text() });
    },
  };
}

/** How old the oldest keys are by which tokens are verified, where any were fetched. Whose they are is for operators: it says who works for whom. */
function issuersOf([side]: readonly Side[]): { issuers?: { keys_age_seconds: number } } {
  const ages = Object.values(side?.counted.identity.keyAges() ?? {}).filter((age) => age !== null);
  return ages.length === 0 ? {} : { issuers: { keys_age_seconds: Math.max(...ages) } };
}

async function sinksOf(sides: readonly Side[]): Promise<Record<string, string>> {
  const standings = await Promise.all(sides.map(async ({ copies }) => (copies ? await copies() : {})));
  return Object.fromEntries(standings.flatMap(Object.entries).map(([name, standing]) => [name, describeStanding(standing)]));
}

/** What is not done though everything works: no reason to turn requests away. */
async function waitingOf(sides: readonly Side[]): Promise<Record<string, string>> {
  const told = await Promise.all(sides.map(async ({ waiting }) => (waiting ? await waiting() : {})));
  return Object.fromEntries(told.flatMap((waiting) => Object.entries(waiting)));
}

/** What the operator decided, one for all sides of a process. */
function limitsOf([side]: readonly Side[]): z.infer<typeof log> | undefined {
  if (!side) return undefined;
  const { mergeDelaySeconds, disclosureStopsSeconds } = side.freshness;
  return { merge_delay_seconds: mergeDelaySeconds, disclosure_stops_seconds: disclosureStopsSeconds };
}

async function readiness(sides: readonly Side[]): Promise<Record<string, string>> {
  const checks: Record<string, string> = { database: "ok", audit: "ok", clock: "ok" };
  for (const { database, freshness } of sides) {
    try {
      const [row] = await database.query(`select ${databaseNowText}, (select state from audit.log where log = 'gateway')`);
      if (Math.abs(Number(row?.[0]) - Date.now()) > clockSkewMaxMs) checks.clock = "differs from the database's by over a minute";
      if (row?.[1] !== "open") checks.audit = "the gateway log is not open";
      else if (checks.audit === "ok") checks.audit = await auditReadiness(database, freshness);
    } catch {
      checks.database = "does not answer";
    }
  }
  return checks;
}

/** Which logs they are is for operators: whoever asks for readiness need not know the names of contracts. */
async function auditReadiness(database: Database, freshness: Freshness): Promise<string> {
  if ((await selectHalted(database)).length > 0) return "a log is halted; `postern doctor` says which and why";
  if ((await selectLate(database, freshness)).length > 0)
    return `entries wait for longer than the ${freshness.mergeDelaySeconds} s that were promised; does a keeper run?`;
  return "ok";
}
