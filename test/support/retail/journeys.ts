/** What owners and agents do with the retail data, over HTTP or in process, and what their answers give away. */
import { readFileSync } from "node:fs";
import { type Door, expectStatus } from "../agreement.ts";
import { findLeaks, type Leak } from "../leaks.ts";
import type { RetailRecord, RetailType } from "./data.ts";

export interface RetailFiles {
  readonly policy: string;
  readonly contract: string;
}

export const retailFiles: RetailFiles = { policy: readBeside("policy.yaml"), contract: readBeside("contract.yaml") };
export const retailContract = "c-retail";
export const retailRecords = `/v1/contracts/${retailContract}/records`;

export async function bringRetailIntoForce(door: Door, files: RetailFiles = retailFiles): Promise<void> {
  const body = { contract: { name: "contract.yaml", text: files.contract }, policy: { name: "policy.yaml", text: files.policy } };
  await expectStatus(door.call("POST", "/v1/contracts", { as: "owner-1", body }), 200);
  const asked = await expectStatus(door.call("POST", `/v1/contracts/${retailContract}/activate`, { as: "owner-1" }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(door.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
  const seats = {
    as: "owner-1",
    body: "issuer,subject,role,name\ndemo,agent-1,first_line,林小满\n",
    headers: { "content-type": "text/csv" },
  };
  await expectStatus(door.call("POST", `/v1/contracts/${retailContract}/agents`, seats), 200);
}

/** Imports those of `type`. Throws where a line is rejected. */
export async function importRecords(door: Door, type: RetailType, all: readonly RetailRecord[]): Promise<void> {
  const body = linesOf(type, all);
  const headers = { "content-type": "application/x-ndjson" };
  const answer = await expectStatus(door.call("POST", `${retailRecords}/${type}/import`, { as: "owner-1", body, headers }), 200);
  const { rejected } = (await answer.json()) as { rejected: unknown[] };
  if (rejected.length > 0) throw new Error(`rejected: ${JSON.stringify(rejected.slice(0, 5))}`);
}

export function linesOf(type: RetailType, all: readonly RetailRecord[]): string {
  return all.flatMap((record) => (record.type === type ? [`${record.line}\n`] : [])).join("");
}

export interface FoundLeak extends Leak {
  readonly where: string;
}

/** Finds the record by the merchant's own id, reads it by its locator, and looks through both answers. */
export async function readAndScan(door: Door, record: RetailRecord): Promise<FoundLeak[]> {
  const { type, id, secrets } = record;
  const found = await answered(door.call("POST", `${retailRecords}/${type}/search`, { as: "agent-1", body: { by: { id } } }));
  const locator = /"locator":"(r_[a-z2-7]{26})"/.exec(found.body)?.[1];
  if (!locator) throw new Error("an imported record is not found");
  const read = await answered(door.call("GET", `${retailRecords}/${type}/${locator}`, { as: "agent-1" }));
  return [...scanAnswer(`${type} search`, found, secrets), ...scanAnswer(`${type} read`, read, secrets)];
}

export interface TakenAnswer {
  readonly head: string;
  /** Hashes and signatures: three letters stand there by chance. */
  readonly promise: string;
  readonly body: string;
}

async function answered(answer: Promise<Response>): Promise<TakenAnswer> {
  return takeAnswer(await expectStatus(answer, 200));
}

export async function takeAnswer(response: Response): Promise<TakenAnswer> {
  const headers = [...response.headers].filter(([name]) => name !== "audit-promise").map(([name, value]) => `${name}: ${value}`);
  return {
    head: [`${response.status} ${response.statusText}`, ...headers].join("\n"),
    promise: response.headers.get("audit-promise") ?? "",
    body: await response.text(),
  };
}

export function scanAnswer(where: string, { head, promise, body }: TakenAnswer, secrets: readonly string[]): FoundLeak[] {
  const leaks = [...findLeaks(`${head}\n\n${body}`, secrets, { fields: fieldsOf(body) }), ...findLeaks(promise, secrets)];
  return leaks.map((leak) => ({ ...leak, where }));
}

/** Every key and value under the records' `fields`. */
function fieldsOf(body: string): string[] {
  const document = JSON.parse(body) as { fields?: unknown; records?: readonly { fields: unknown }[] };
  return [document.fields, ...(document.records ?? []).map((record) => record.fields)].flatMap(textsOf);
}

function textsOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return value === undefined || value === null ? [] : [String(value)];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return Object.entries(value).flatMap(([key, member]) => [key, ...textsOf(member)]);
}

/** `work` on each item, a few at a time; results in any order. */
export async function each<Item, Out>(items: readonly Item[], work: (item: Item) => Promise<Out[]>): Promise<Out[]> {
  const queue = items.values();
  const results: Out[] = [];
  const worker = async () => {
    for (const item of queue) results.push(...(await work(item)));
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return results;
}

function readBeside(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}
