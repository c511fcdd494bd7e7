/** A contract's keys, as its owner sees and moves them through the routes. */
import type { Queryable } from "../../src/storage/index.ts";
import { because, contractText, expectStatus, search, shippedPolicy } from "./agreement.ts";
import type { Door, Gateway } from "./gateway.ts";

export interface ShownRotation {
  readonly job: string;
  readonly epoch: number;
  readonly step: string;
  readonly progress: { readonly done: number; readonly of: number; readonly rewrapped: number; readonly keys: number | null };
  readonly index: {
    readonly generation: number;
    readonly indexed: number;
    readonly records: number | null;
    readonly dropped: number;
  } | null;
}

export interface ShownKeys {
  readonly contract: string;
  readonly epochs: readonly {
    readonly epoch: number;
    readonly state: string;
    readonly wrapped: { readonly subjects: number; readonly purposes: number };
    readonly commitments: { readonly share_a: string; readonly share_b: string };
    readonly destroyed_at: string | null;
  }[];
  readonly index: { readonly generation: number; readonly records: number } | null;
  readonly rotation: ShownRotation | null;
}

export async function askRotation(gateway: Door, contract = "c-test", as = "owner-1"): Promise<ShownRotation> {
  const asked = gateway.call("POST", `/v1/contracts/${contract}/keys/rotate`, { as, body: { confirm: contract } });
  return (await (await expectStatus(asked, 202)).json()) as ShownRotation;
}

export async function showKeys(gateway: Door, contract = "c-test", as = "owner-1"): Promise<ShownKeys> {
  return (await (await expectStatus(gateway.call("GET", `/v1/contracts/${contract}/keys`, { as }), 200)).json()) as ShownKeys;
}

/** With a new index key. */
export async function askIndexRotation(gateway: Door, contract = "c-test", as = "owner-1"): Promise<ShownRotation> {
  const asked = gateway.call("POST", `/v1/contracts/${contract}/keys/rotate`, { as, body: { confirm: contract, index: true } });
  return (await (await expectStatus(asked, 202)).json()) as ShownRotation;
}

/** Asked for, and run to its end. */
export async function rotate(gateway: Gateway, contract = "c-test"): Promise<ShownKeys> {
  await askRotation(gateway, contract);
  return finishRotation(gateway, contract);
}

export async function finishRotation(gateway: Gateway, contract = "c-test"): Promise<ShownKeys> {
  for (let turns = 0; turns < 200; turns++) {
    await gateway.keeper.tick();
    const keys = await showKeys(gateway, contract);
    if (keys.rotation?.step === "share_a") return keys;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the rotation did not come to its end");
}

export interface ShownReceipt {
  readonly erasure: string;
  readonly state: string;
  readonly locator: string;
  readonly subject: string | null;
  readonly records: number;
  readonly index_rows: number;
  readonly erased_here_at: string | null;
  readonly closed_everywhere_at: string | null;
  readonly reason: { readonly code: string; readonly epochs: readonly number[]; readonly text: string } | null;
}

/** By the merchant's own id. */
export async function erase(gateway: Door, id: string, contract = "c-test", as = "owner-1"): Promise<ShownReceipt> {
  const asked = gateway.call("POST", `/v1/contracts/${contract}/erasures`, { as, body: { subject: { id }, confirm: id } });
  return (await (await expectStatus(asked, 200)).json()) as ShownReceipt;
}

export async function receiptOf(gateway: Door, erasure: string, contract = "c-test", as = "owner-1"): Promise<ShownReceipt> {
  return (await (
    await expectStatus(gateway.call("GET", `/v1/contracts/${contract}/erasures/${erasure}`, { as }), 200)
  ).json()) as ShownReceipt;
}

/** Rows of the contract by the key that made them. */
export async function indexRowsOf(owner: Queryable): Promise<Record<string, number>> {
  const rows = await owner.query(
    "select generation, count(*)::int from postern.blind_index where contract_id = 'c-test' group by generation order by generation",
  );
  return Object.fromEntries(rows.map(([generation, count]) => [String(generation), Number(count)]));
}

export async function hits(gateway: Door, phone: string): Promise<number> {
  return (await search(gateway, { phone })).records.length;
}

/** Both owners agree that names may be searched. */
export async function searchNames(gateway: Door): Promise<void> {
  const policy = shippedPolicy("cs-standard").replace("{ class: person_name }", "{ class: person_name, search: true }");
  const files = { contract: { name: "contract.yaml", text: contractText() }, policy: { name: "policy.yaml", text: policy } };
  const asked = await expectStatus(gateway.call("PUT", "/v1/contracts/c-test/policy", { as: "owner-1", body: files, ...because }), 202);
  const { approval } = (await asked.json()) as { approval: { id: string } };
  await expectStatus(gateway.call("POST", `/v1/approvals/${approval.id}/approve`, { as: "owner-2" }), 200);
}
