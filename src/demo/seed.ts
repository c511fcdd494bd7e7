/**
 * Brings the generated world into a running gateway, through its own routes and with its owners' tokens:
 * apply (first owner) → ask → approve (second owner) → seats → records → a search for what the tour names → the past end of the ended contract
 * Only the last step goes past the routes, because activating a contract that has ended is refused. It is logged like everything else.
 */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import type { AuditLog, LogHandles } from "../audit/index.ts";
import { moveEnd, selectContract } from "../contracts/index.ts";
import type { ContractId } from "../kernel/index.ts";
import type { Keyring } from "../keys/index.ts";
import { logOfContract } from "../offices/index.ts";
import type { Database } from "../storage/index.ts";
import { dayInChina } from "./calendar.ts";
import type { Highlights } from "./directory.ts";
import { type DemoContract, type DemoWorld, demoHighlights } from "./world.ts";

export interface Ask {
  /** A subject of the built-in issuer. */
  readonly as: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: { readonly media: string; readonly text: string } | undefined;
  readonly purpose?: string | undefined;
}

export interface SeedParts {
  readonly world: DemoWorld;
  /** The first instant of the first start's day. */
  readonly midnight: Date;
  /** The gateway's own door. */
  readonly call: (ask: Ask) => Promise<Response>;
  readonly keeper: { readonly database: Database; readonly keyring: Keyring; readonly audit: AuditLog; readonly logs: LogHandles };
  readonly saveTrust: (contract: string, trust: unknown) => Promise<void>;
  readonly tell: (line: string) => void;
}

const requested = z.object({ approval: z.object({ id: z.string() }) });
const activated = z.object({ result: z.object({ trust: z.unknown() }) });
const seated = z.object({ seats: z.int() });
const imported = z.object({ created: z.int(), rejected_count: z.literal(0) });
const found = z.object({ records: z.tuple([z.object({ locator: z.string() })]) });

/** Throws where the gateway refuses any of it. */
export async function seedWorld(parts: SeedParts): Promise<Highlights> {
  const policy = await readFile(new URL("../../policies/cs-standard.yaml", import.meta.url), "utf8");
  for (const contract of parts.world.contracts) await bringIn(parts, contract, policy);
  const { contract, customer, otherContract, otherCustomer, endedContract, endedCustomer } = demoHighlights;
  const highlights = {
    customer: await locate(parts, "agent-1", contract, customer),
    otherCustomer: await locate(parts, "agent-13", otherContract, otherCustomer),
    endedCustomer: await locate(parts, "agent-1", endedContract, endedCustomer),
  };
  await backdate(parts, endedContract as ContractId);
  return highlights;
}

async function bringIn(parts: SeedParts, { id, merchant, contract, seats, records }: DemoContract, policy: string): Promise<void> {
  const [asking, approving] = parts.world.merchants.find((candidate) => candidate.id === merchant)?.owners ?? [];
  if (asking === undefined || approving === undefined) throw new Error(`${merchant} has fewer than two owners`);
  const post = async <Value>(schema: z.ZodType<Value>, as: string, path: string, body?: Ask["body"]) =>
    schema.parse(await answerOf(parts, { as, method: "POST", path, body }));
  const files = { contract: { name: `${id}.yaml`, text: contract }, policy: { name: "cs-standard.yaml", text: policy } };
  await post(z.unknown(), asking, "/v1/contracts", { media: "application/json", text: JSON.stringify(files) });
  const { approval } = await post(requested, asking, `/v1/contracts/${id}/activate`);
  const { result } = await post(activated, approving, `/v1/approvals/${approval.id}/approve`);
  await parts.saveTrust(id, result.trust);
  const agents = await post(seated, asking, `/v1/contracts/${id}/agents`, { media: "text/csv", text: seats });
  const lines = (type: "customer" | "order") =>
    post(imported, asking, `/v1/contracts/${id}/records/${type}/import`, { media: "application/x-ndjson", text: records[type] });
  const customers = await lines("customer");
  const orders = await lines("order");
  parts.tell(`${id}: in force, ${agents.seats} agents, ${customers.created} customers, ${orders.created} orders`);
}

/** A record's name, found as an agent finds it. */
async function locate(parts: SeedParts, as: string, contract: string, id: string): Promise<string> {
  const text = JSON.stringify({ by: { id } });
  const path = `/v1/contracts/${contract}/records/customer/search`;
  const body = { media: "application/json", text };
  return found.parse(await answerOf(parts, { as, method: "POST", path, body, purpose: "after_sales" })).records[0].locator;
}

/** Ended since this midnight, its purge as many days after as its contract says. Logged before it is done; done twice it stays the same. */
async function backdate({ keeper, midnight, tell }: SeedParts, id: ContractId): Promise<void> {
  const contract = await selectContract(keeper.database, id);
  if (!contract) throw new Error(`${id} is not there`);
  const endsAt = midnight.toISOString();
  const purgeDueAt = new Date(midnight.getTime() + contract.purgeDueAt - contract.endsAt).toISOString();
  await keeper.audit.append(await logOfContract(keeper, contract), {
    event: "contract.backdated",
    actor: { role: "system" },
    outcome: { effect: "allow", code: "demo" },
    facts: { contract: id, ends_at: endsAt, purge_due_at: purgeDueAt },
  });
  await keeper.database.transaction((tx) => moveEnd(tx, id, endsAt, purgeDueAt));
  tell(`${id}: ended today, to be purged on ${dayInChina(new Date(purgeDueAt)).day}`);
}

async function answerOf({ call }: SeedParts, ask: Ask): Promise<unknown> {
  const response = await call(ask);
  const text = await response.text();
  if (!response.ok) throw new Error(`the seed was refused: ${ask.method} ${ask.path} → ${response.status} ${text}`);
  return JSON.parse(text);
}
