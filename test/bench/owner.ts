/** What a merchant's owners do before an agent can work, over HTTP: contract, activation, seats, import. And whoever they let in. */
import { readBuiltInIssuer } from "../../src/node-keys.ts";
import { type Customer, policyText } from "./customers.ts";

export const contract = "c-bench";
const agents = Array.from({ length: 20 }, (_, i) => `agent-${i + 1}`);
const agentTokenSeconds = 3_600;
const ownerTokenSeconds = 900;

/** The operator's file. */
export const operatorText = `issuers: [{ id: demo, built_in: true }]
merchants:
  m-bench:
    owners: [{ issuer: demo, subject: owner-1 }, { issuer: demo, subject: owner-2 }]
    officers: [{ issuer: demo, subject: officer-1 }]
`;

const contractText = (id: string) => `contract: ${id}
parties:  { merchant: m-bench, vendor: v-bench, subprocessors: [] }
term:     { start: 2026-01-01, end: 2099-01-01, zone: Asia/Shanghai, purge_after: 7d }
purposes: { after_sales: {} }
ceiling:  { plain: reveal, person_name: mask, address: mask, phone: mask, email: mask, free_text: mask, resident_id: mask, payment_card: mask }
policy:   bench
roles:    [first_line]
purge:    { cooling: 0h, backup_horizon: 30d }
`;

export interface House {
  readonly origin: string;
  /** The gateway's data directory, where the built-in issuer's key lies. */
  readonly data: string;
}

/** Brings a contract into force and everything into it. */
export async function moveIn(house: House, customers: Iterable<Customer>, id: string = contract): Promise<void> {
  await bringIn(house, await openContract(house, id), customers, id);
}

/** Answers a token of the first owner's. */
export function openContract(house: House, id: string): Promise<string> {
  return bringIntoForce(house, id, policyText);
}

/** In one request, made as it is sent. */
export async function bringIn({ origin }: House, token: string, customers: Iterable<Customer>, id: string = contract): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "postern-reason": "bench", "content-type": "application/x-ndjson" };
  const answer = await sendStream(`${origin}/v1/contracts/${id}/records/customer/import`, headers, linesOf(customers));
  if (!answer.ok) throw new Error(`the import answered ${answer.status} ${await answer.text()}`);
  const { lines, created } = (await answer.json()) as { lines: number; created: number };
  if (created !== lines) throw new Error(`${created} of ${lines} customers were imported`);
}

export function sendStream(url: string, headers: Readonly<Record<string, string>>, body: ReadableStream<Uint8Array>): Promise<Response> {
  const streamed = { method: "POST", headers, body, duplex: "half" };
  return fetch(url, streamed);
}

const linesAtOnce = 100;

/** NDJSON. */
export function linesOf(customers: Iterable<Customer>): ReadableStream<Uint8Array> {
  const from = customers[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      let lines = "";
      for (let i = 0; i < linesAtOnce; i++) {
        const { done, value } = from.next();
        if (done) break;
        lines += `${JSON.stringify(value)}\n`;
      }
      if (lines === "") controller.close();
      else controller.enqueue(new TextEncoder().encode(lines));
    },
  });
}

export interface Api {
  readonly contract: string;
  readonly policy: string;
  /** A connector's file, and what it asks for. */
  readonly connector: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly credential: string;
}

/** A contract whose agents ask the merchant's own API, which is called `api`. */
export async function openApi(house: House, { contract: id, policy, connector, settings, credential }: Api): Promise<void> {
  const token = await bringIntoForce(house, id, policy);
  const body = JSON.stringify({ connector: { name: "connector.yaml", text: connector }, settings, credential });
  await send(house, token, { method: "PUT", path: `/v1/contracts/${id}/connectors/api`, media: "application/json", body });
}

/** With seats for the agents. Answers a token of the first owner's. */
async function bringIntoForce(house: House, id: string, policy: string): Promise<string> {
  const first = await tokenOf(house, "owner-1", ownerTokenSeconds);
  const second = await tokenOf(house, "owner-2", ownerTokenSeconds);
  const files = { contract: { name: "contract.yaml", text: contractText(id) }, policy: { name: "policy.yaml", text: policy } };
  await post(house, first, "/v1/contracts", "application/json", JSON.stringify(files));
  const asked = await post(house, first, `/v1/contracts/${id}/activate`);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await post(house, second, `/v1/approvals/${approval.id}/approve`);
  const seats = agents.map((agent) => `demo,${agent},first_line,${agent}\n`).join("");
  await post(house, first, `/v1/contracts/${id}/agents`, "text/csv", `issuer,subject,role,name\n${seats}`);
  return first;
}

export function agentTokens(house: House): Promise<string[]> {
  return Promise.all(agents.map((agent) => tokenOf(house, agent, agentTokenSeconds)));
}

export function officerToken(house: House): Promise<string> {
  return tokenOf(house, "officer-1", agentTokenSeconds);
}

async function tokenOf({ data, origin }: House, subject: string, ttlSeconds: number): Promise<string> {
  const issuer = await readBuiltInIssuer(data);
  return issuer.sign({ subject, audience: origin, ttlSeconds, now: Date.now() });
}

/** As one of the owners; answers the JSON. */
export async function askAs(house: House, owner: "owner-1" | "owner-2", path: string, body?: unknown): Promise<unknown> {
  const token = await tokenOf(house, owner, ownerTokenSeconds);
  const answer = await post(house, token, path, "application/json", body === undefined ? undefined : JSON.stringify(body));
  return answer.json();
}

export async function readAs(house: House, owner: "owner-1" | "owner-2", path: string): Promise<unknown> {
  const token = await tokenOf(house, owner, ownerTokenSeconds);
  const answer = await fetch(`${house.origin}${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
  return answer.headers.get("content-type")?.includes("json") ? answer.json() : answer.text();
}

function post(house: House, token: string, path: string, media?: string, body?: string): Promise<Response> {
  return send(house, token, { method: "POST", path, media, body });
}

interface Sent {
  readonly method: "POST" | "PUT";
  readonly path: string;
  readonly media?: string | undefined;
  readonly body?: string | undefined;
}

async function send({ origin }: House, token: string, { method, path, media, body }: Sent): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, "postern-reason": "bench", ...(media ? { "content-type": media } : {}) };
  const answer = await fetch(`${origin}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
