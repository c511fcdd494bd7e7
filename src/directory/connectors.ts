/**
 * An owner registers the merchant's own API, or database, for a contract:
 *   enter → read the file → hold it against the policy in force → hold it against the database → log → seal, write
 * …looks at those that are registered:  enter → read → log;  and takes one away:  enter → log → delete
 *
 * It widens nothing: what comes back is treated by the policy that two owners agreed to. The credential is never shown again, not even to who gave it.
 */
import {
  type Connector,
  type ConnectorDocument,
  type ConnectorRoute,
  fieldsOf,
  parseConnector,
  parseConnectorText,
  settle,
  writesOf,
} from "../connectors/index.ts";
import { type Bundles, type Contract, shareContract } from "../contracts/index.ts";
import { type Aead, sha256, toHex, utf8 } from "../crypto/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { newestEpoch } from "../keys/index.ts";
import { enterContract, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
import { type Bundle, inFileOrder, type Problem, refuseFiles } from "../policy/index.ts";
import { refusableTransaction } from "../storage/index.ts";
import {
  type DatabaseReach,
  deleteConnector,
  type ListedConnector,
  putConnector,
  readTaobaoCredential,
  sealCredential,
  selectConnectors,
} from "../upstream/index.ts";
import { databaseProblems } from "./database-problems.ts";

export interface ConnectorsDesk extends OfficeDoor {
  readonly bundles: Bundles;
  readonly aead: Aead;
  /** Absent where this runtime asks no databases. */
  readonly databases?: DatabaseReach | undefined;
}

export interface Registration {
  readonly contract: ContractId;
  /** As the upstream's path will have it. */
  readonly name: string;
  readonly file: { readonly name: string; readonly text: string };
  readonly settings: Readonly<Record<string, string>>;
  readonly credential: string;
}

export interface Registered {
  readonly name: string;
  readonly host: string;
  /** Of what is kept. */
  readonly digest: string;
  readonly routes: readonly string[];
}

export async function registerConnector(desk: ConnectorsDesk, visit: Visit, asked: Registration): Promise<Result<Registered, Refusal>> {
  const { contract: id, name } = asked;
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract } = entered.value;
  const event = "connector.registered";
  const read = takesConnectors(contract)
    ? await readConnector(desk, asked, await desk.bundles.bundleOf(desk.database, id, contract.bundleDigest))
    : overRefusal;
  if (!read.ok) return turnDown(desk, visit, entered.value, { event, refusal: read.refusal });
  const compiled = JSON.stringify(read.value);
  const digest = digestOf(compiled);
  const { host } = read.value;
  const facts = { contract: id, connector: name, host, digest };
  await logAct(desk, visit, entered.value, { event, outcome: { effect: "allow", code: "registered" }, facts });
  const { locator } = await desk.keyring.keysOf(desk.database, id, await newestEpoch(desk.database, id));
  const credential = sealCredential(desk.aead, locator, { contract: id, name, compiled }, asked.credential);
  return refusableTransaction<Registered>(desk.database, async (tx) => {
    // The purge's fence waits for this transaction, and after it none is written.
    const standing = await shareContract(tx, id);
    if (!standing || !takesConnectors(standing)) return overRefusal;
    await putConnector(tx, { contract: id, name, compiled, credential });
    return ok({ name, host, digest, routes: routesOf(read.value) });
  });
}

/** Its credential goes with it. What it was asked stays in the log. */
export async function removeConnector(desk: ConnectorsDesk, visit: Visit, id: ContractId, name: string): Promise<Result<void, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const event = "connector.deleted";
  const facts = { contract: id, connector: name };
  await logAct(desk, visit, entered.value, { event, outcome: { effect: "allow", code: "deleted" }, facts });
  const done = await desk.database.transaction((tx) => deleteConnector(tx, id, name));
  return done ? ok(undefined) : turnDown(desk, visit, entered.value, { event, refusal: { code: "not_found" }, facts });
}

export interface ShownConnector extends ListedConnector {
  readonly connector: Connector;
  readonly digest: string;
}

/** Without credentials, which nobody is shown. `name`: only that one, and `not_found` where there is none. */
export async function readConnectors(
  desk: ConnectorsDesk,
  visit: Visit,
  id: ContractId,
  name?: string,
): Promise<Result<ShownConnector[], Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const listed = await selectConnectors(desk.database, id, name);
  const event = "connector.read";
  if (name !== undefined && listed.length === 0) return turnDown(desk, visit, entered.value, { event, refusal: { code: "not_found" } });
  const facts = { contract: id, connectors: listed.length };
  await logAct(desk, visit, entered.value, { event, outcome: { effect: "allow", code: "ok" }, facts });
  return ok(listed.map((row) => ({ ...row, connector: parseConnectorText(row.compiled), digest: digestOf(row.compiled) })));
}

/** `GET /orders/{id}`, `PUT /orders/{id}: status, note`: what agents may do is the policy's matter. */
export function routesOf(connector: Connector): string[] {
  const routes: readonly ConnectorRoute[] = connector.routes;
  return [
    ...routes.map(({ path, where }) => `GET ${path}${Object.keys(where).length === 0 ? "" : `?${new URLSearchParams(where)}`}`),
    ...writesOf(connector).map(({ method, path, fields }) => `${method} ${path}: ${fields.join(", ")}`),
  ];
}

function digestOf(compiled: string): string {
  return `sha256:${toHex(sha256(utf8(compiled)))}`;
}

const overRefusal = refuse({ code: "wrong_state" } as const);

/** A draft has no keys yet to seal with, and what is over asks for nothing. */
function takesConnectors({ state, endsAt, readAt }: Contract): boolean {
  return state === "active" && endsAt > readAt;
}

async function readConnector(
  { databases }: ConnectorsDesk,
  { file, settings, credential }: Registration,
  bundle: Bundle,
): Promise<Result<Connector, Refusal>> {
  const parsed = parseConnector(file.text, file.name);
  if (!parsed.ok) return refuseFiles(parsed.refusal);
  const unknown = unknownNames(parsed.value, bundle);
  if (unknown.length > 0) return refuseFiles(unknown);
  const settled = settle(parsed.value, settings);
  if (!settled.ok) return refuseFiles(settled.refusal);
  const connector = settled.value;
  if (!fits(connector, credential)) return refuse({ code: "unacceptable", errors: [{ pointer: "/credential", code: "grammar" }] });
  if (!("tables" in connector)) return settled;
  const problems = await databaseProblems(databases, { source: parsed.value.source, connector }, credential);
  return problems.length > 0 ? refuseFiles(inFileOrder(problems)) : settled;
}

/** In the form that it is carried in. */
function fits(connector: Connector, credential: string): boolean {
  if ("tables" in connector) return /^[^:]+:/.test(credential);
  const { authentication } = connector;
  if (authentication === "basic") return credential.includes(":");
  return typeof authentication === "string" || "header" in authentication || readTaobaoCredential(credential) !== null;
}

/** What the contract in force does not know: resources, fields, the purpose. */
function unknownNames({ source, connector }: ConnectorDocument, bundle: Bundle): Problem[] {
  const problems: Problem[] = [];
  const { purpose } = connector;
  const routes: readonly ConnectorRoute[] = connector.routes;
  if (purpose !== undefined && !Object.hasOwn(bundle.contract.purposes, purpose))
    problems.push(source.valueProblem(["purpose"], "wrong_value", "the contract has no such purpose"));
  routes.forEach(({ resource, id, by, parameters }, index) => {
    const known = Object.hasOwn(bundle.resources, resource) ? bundle.resources[resource] : undefined;
    if (known === undefined) {
      problems.push(source.valueProblem(["routes", index, "resource"], "unknown_resource", "the contract's policy has no such resource"));
      return;
    }
    const isOwn = by === undefined || by === id || by === known.subject.path;
    const asked = Object.entries(parameters).map(([name, parameter]) => [["parameters", name], fieldsOf(parameter, id)] as const);
    for (const [at, fields] of [[["by"], isOwn ? [] : [by]] as const, ...asked])
      if (fields.some((field) => !Object.hasOwn(known.fields, field)))
        problems.push(source.problem(["routes", index, ...at], "unknown_field", `${resource} has no field of that path`));
  });
  writesOf(connector).forEach(({ resource, fields }, index) => {
    const known = Object.hasOwn(bundle.resources, resource) ? bundle.resources[resource] : undefined;
    if (known === undefined)
      problems.push(source.valueProblem(["writes", index, "resource"], "unknown_resource", "the contract's policy has no such resource"));
    fields.forEach((field, place) => {
      if (known && !Object.hasOwn(known.fields, field))
        problems.push(source.valueProblem(["writes", index, "fields", place], "unknown_field", `${resource} has no field of that path`));
    });
  });
  return problems;
}
