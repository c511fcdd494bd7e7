/** A contract in force, with seats and records, made through the routes like an owner would. */
import { readFileSync } from "node:fs";
import type { Door } from "./gateway.ts";
import { root } from "./repository.ts";

export interface Agreement {
  readonly contract?: string;
  readonly merchant?: string;
  readonly vendor?: string;
  readonly owners?: readonly [string, string];
  readonly policy?: string;
  readonly purposes?: string;
  readonly ceiling?: string;
  readonly roles?: string;
  readonly seats?: string;
  readonly cooling?: string;
  /** Further terms of the purge, as `, return: { … }`. */
  readonly purge?: string;
  readonly horizon?: string;
  /** Further lines of the contract. */
  readonly more?: string;
}

/** Why somebody asks or turns down, where it does not matter. */
export const because = { headers: { "postern-reason": "as%20agreed" } } as const;

const ceiling = "{ plain: reveal, person_name: mask, address: mask, phone: mask, email: mask, free_text: withhold, resident_id: mask }";

export function shippedPolicy(name: string): string {
  return readFileSync(new URL(`policies/${name}.yaml`, `file://${root}/`), "utf8");
}

export function contractText(agreement: Agreement = {}): string {
  const {
    contract = "c-test",
    merchant = "m-linxi",
    vendor = "v-yunfu",
    purposes = "{ after_sales: {} }",
    roles = "[first_line, senior]",
    cooling = "0h",
    horizon = "30d",
    more = "",
  } = agreement;
  return `contract: ${contract}
parties:  { merchant: ${merchant}, vendor: ${vendor}, subprocessors: [] }
term:     { start: 2026-01-01, end: 2099-01-01, zone: Asia/Shanghai, purge_after: 7d }
purposes: ${purposes}
ceiling:  ${agreement.ceiling ?? ceiling}
policy:   cs-standard
roles:    ${roles}
purge:    { cooling: ${cooling}, backup_horizon: ${horizon}${agreement.purge ?? ""} }
${more}`;
}

export function applyFiles(gateway: Door, text: string, as = "owner-1", policy = shippedPolicy("cs-standard")): Promise<Response> {
  const body = { contract: { name: "contract.yaml", text }, policy: { name: "policy.yaml", text: policy } };
  return gateway.call("POST", "/v1/contracts", { as, body });
}

/** Applies, asks, approves, seats. Answers what the activation answered (the trust file in `result.trust`). */
export async function bringIntoForce(gateway: Door, agreement: Agreement = {}): Promise<{ trust: unknown }> {
  const { contract = "c-test", owners = ["owner-1", "owner-2"], policy = shippedPolicy("cs-standard") } = agreement;
  await expectStatus(applyFiles(gateway, contractText(agreement), owners[0], policy), 200);
  const asked = await expectStatus(gateway.call("POST", `/v1/contracts/${contract}/activate`, { as: owners[0] }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  const approved = await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: owners[1] }), 200);
  const seats = agreement.seats ?? "demo,agent-1,first_line,林小满\ndemo,agent-2,senior,欧阳明\n";
  const csv = { as: owners[0], body: `issuer,subject,role,name\n${seats}`, headers: { "content-type": "text/csv" } };
  await expectStatus(gateway.call("POST", `/v1/contracts/${contract}/agents`, csv), 200);
  return ((await approved.json()) as { result: { trust: unknown } }).result;
}

export interface ImportAnswer {
  readonly lines: number;
  readonly created: number;
  readonly updated: number;
  readonly rejected: readonly { line: number; code: string }[];
  readonly rejected_count: number;
  readonly unnamed: Readonly<Record<string, number>>;
}

export async function importLines(
  gateway: Door,
  lines: readonly unknown[] | string,
  { contract = "c-test", type = "customer", owner = "owner-1" } = {},
): Promise<ImportAnswer> {
  const body = typeof lines === "string" ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const answer = await expectStatus(
    gateway.call("POST", `/v1/contracts/${contract}/records/${type}/import`, {
      as: owner,
      body,
      headers: { "content-type": "application/x-ndjson" },
    }),
    200,
  );
  return (await answer.json()) as ImportAnswer;
}

export interface Found {
  readonly records: readonly {
    readonly type: string;
    readonly locator: string;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly masking: readonly { path: string; class: string; treatment: string; why: string; can: readonly string[] }[];
  }[];
  readonly more: boolean;
}

export async function search(
  gateway: Door,
  by: Readonly<Record<string, string>>,
  { contract = "c-test", type = "customer", agent = "agent-1" } = {},
): Promise<Found> {
  const answer = await expectStatus(
    gateway.call("POST", `/v1/contracts/${contract}/records/${type}/search`, { as: agent, body: { by } }),
    200,
  );
  return (await answer.json()) as Found;
}

/** Throws with the problem's text where the status is another. */
export async function expectStatus(answer: Promise<Response>, status: number): Promise<Response> {
  const response = await answer;
  if (response.status !== status) throw new Error(`expected ${status}, got ${response.status}: ${await response.text()}`);
  return response;
}

export interface Problem {
  readonly code: string;
  readonly errors?: readonly { pointer: string; code: string; message?: string }[];
}

export async function problemOf(answer: Promise<Response>, status: number): Promise<Problem> {
  return (await (await expectStatus(answer, status)).json()) as Problem;
}
