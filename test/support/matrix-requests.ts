/** One request for each route of the matrix, such that its schemas take it. What writes is refused by its use case, so that an open cell may be called, too. */
import type { CallOptions, Gateway } from "./gateway.ts";
import { type Cell, contractOf } from "./matrix-cells.ts";

/** What is there to be asked for. */
export interface Things {
  readonly locator: string;
  readonly approval: string;
  readonly entry: string;
  readonly job: string;
}

const contract = "/v1/contracts/{contract}";
const directory = "/v1/scim/{vendor}/v2";
const vendor = { reference: "no. 3", statement: `sha256:${"a".repeat(64)}` };
const nobody = { issuer: "demo", subject: "nobody" };
const credential = (response: object) => ({ id: "x", rawId: "x", type: "public-key", response, clientExtensionResults: {} });
const files = { contract: { name: "c.yaml", text: ":" }, policy: { name: "p.yaml", text: "" } };
const text = (media: string, body: string): CallOptions => ({ body, headers: { "content-type": media } });

const bodies: Readonly<Record<string, unknown>> = {
  [`POST ${contract}/records/{type}/search`]: { by: { id: "U0" } },
  [`POST ${contract}/records/{type}/{locator}/requests`]: { kind: "correction" },
  [`PUT ${contract}/upstream/{connector}/{path}`]: {},
  [`PATCH ${contract}/upstream/{connector}/{path}`]: {},
  "POST /v1/contracts": files,
  [`PUT ${contract}/policy`]: files,
  [`POST ${contract}/amend`]: { end: "2000-01-01", vendor },
  [`POST ${contract}/terminate`]: { confirm: "another", at: "now", reason: "mutual" },
  [`POST ${contract}/suspend`]: { reason: "audit" },
  [`POST ${contract}/holds`]: {
    scope: { field: { type: "nothing", path: "x" } },
    basis: "dispute",
    note: "n",
    authority: "a",
    expires_at: null,
  },
  [`POST ${contract}/break-glass`]: { seat: nobody, purpose: "none", person: { type: "customer", id: "U0" } },
  [`POST ${contract}/break-glass/{glass}/review`]: { finding: "justified" },
  "POST /v1/clock/accept": { now: "2000-01-01T00:00:00Z" },
  [`PUT ${contract}/connectors/{connector}`]: { connector: { name: "c.yaml", text: ":" }, credential: "c" },
  [`POST ${contract}/agents/revoke`]: { ...nobody, reason: "left" },
  [`POST ${contract}/agents/restore`]: nobody,
  [`POST ${contract}/service-keys`]: { name: "x", scopes: ["records:import"], days: 1 },
  [`POST ${contract}/service-keys/{key}/rotate`]: {},
  "POST /v1/session/passkeys": { name: "x", credential: credential({ clientDataJSON: "x", attestationObject: "x" }) },
  "POST /v1/session/step-up": { credential: credential({ clientDataJSON: "x", authenticatorData: "x", signature: "x" }) },
  "POST /v1/passkeys/revoke": nobody,
  "POST /v1/revocations": { kind: "person", issuer: "demo", subject: "operator", reason: "left" },
  [`POST ${contract}/audit/subjects`]: { type: "customer", id: "U0" },
  "POST /log/{log}/epochs": { dry_run: true },
  [`POST ${contract}/purges`]: { dry_run: true },
  [`POST ${contract}/purges/{job}/return/acknowledge`]: { digest: "sha256:0" },
  [`POST ${contract}/purges/{job}/attestations`]: { system: "none", statement: "s", signer: "s" },
  [`POST ${contract}/subject-requests`]: { kind: "access", type: "customer", id: "nobody" },
  [`POST ${contract}/subject-requests/{request}/close`]: { outcome: "done" },
  [`POST ${contract}/keys/rotate`]: { dry_run: true },
  [`POST ${contract}/erasures`]: { subject: { type: "customer", id: "U0" }, dry_run: true },
  [`POST ${contract}/partial-purges`]: { older_than_days: 1, dry_run: true },
  "POST /v1/scim/{vendor}/tokens": {},
  [`POST ${directory}/Users`]: {},
  [`PUT ${directory}/Users/{user}`]: {},
  [`PATCH ${directory}/Users/{user}`]: {},
  [`POST ${directory}/Groups`]: {},
  [`PUT ${directory}/Groups/{group}`]: {},
  [`PATCH ${directory}/Groups/{group}`]: {},
  "POST /v1/root-key/rewrap": { dry_run: true },
  "POST /v1/demo/tamper": { undo: true },
};
const texts: Readonly<Record<string, CallOptions>> = {
  "POST /v1/session/backchannel-logout": text("application/x-www-form-urlencoded", "logout_token=x"),
  [`POST ${contract}/upstream/{connector}/{path}`]: text("application/x-www-form-urlencoded", "limit=1"),
  [`POST ${contract}/agents`]: text("text/csv", "wrong,header\n"),
  [`POST ${contract}/records/{type}/import`]: text("application/x-ndjson", "{}\n"),
};
const queries: Readonly<Record<string, string>> = {
  "GET /v1/session/login": "?issuer=demo",
  "GET /log/{log}/consistency": "?from=1",
  [`GET ${contract}/audit/export`]: "?format=bundle",
  [`GET ${contract}/audit/export/manifest`]: "?format=csv&cursor=x&bytes=1",
};

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly options: CallOptions;
}

export function requestFor(route: string, contract: string, things: Things): Request {
  const [method = "", template = ""] = route.split(" ");
  const path = template
    .replace(/\{(contract|log)\}/g, contract)
    .replace("{type}", "customer")
    .replace("{locator}", things.locator)
    .replace("{approval}", things.approval)
    .replace("{entry}", things.entry)
    .replace("{job}", things.job)
    .replace("{tile}", "0/000")
    .replace("{bundle}", "000")
    .replace("{leaf}", "0")
    .replace("{part}", "keys")
    .replace(/\{\w+\}/g, "x-1");
  const body = bodies[route];
  const options: CallOptions = texts[route] ?? (body === undefined ? {} : { body });
  return { method, path: `${path}${queries[route] ?? ""}`, options };
}

export function askOf(gateway: Gateway, { route, standing, as }: Cell, things: Things): Promise<Response> {
  const { method, path, options } = requestFor(route, contractOf[standing], things);
  return gateway.call(method, path, { ...options, ...(as !== null && { as }) });
}
