/** What the parties of one contract ask about its rungs, as they ask it. */
import { expectStatus } from "./agreement.ts";
import type { Gateway } from "./gateway.ts";
import type { World } from "./purge-world.ts";

export const path = "/v1/contracts/c-test";
export const statement = `sha256:${"a".repeat(64)}`;
export const vendor = { reference: "补充协议〔2026〕3号", statement };
export const hour = 3_600_000;
export const day = 24 * hour;

export interface Shown {
  readonly standing: string;
  readonly ends_at: string;
  readonly purge_due_at: string;
  readonly winds_down_at: string;
  readonly last_days_at: string;
}

export async function show(gateway: Gateway): Promise<Shown> {
  return (await (await expectStatus(gateway.call("GET", path, { as: "owner-1" }), 200)).json()) as Shown;
}

export async function codeOf(asked: Promise<Response>): Promise<[number, string | undefined]> {
  const answer = await asked;
  const text = await answer.text();
  return [answer.status, answer.ok ? undefined : (JSON.parse(text) as { code: string }).code];
}

/** Asked by the first owner; answers the approval's id. */
export async function ask(gateway: Gateway, act: string, body?: unknown): Promise<string> {
  const asked = await expectStatus(gateway.call("POST", `${path}/${act}`, { as: "owner-1", ...(body !== undefined && { body }) }), 202);
  return ((await asked.json()) as { approval: { id: string } }).approval.id;
}

export const approve = (gateway: Gateway, id: string, as = "owner-2") => gateway.call("POST", `/v1/approvals/${id}/approve`, { as });

export async function agree(gateway: Gateway, act: string, body?: unknown): Promise<void> {
  await expectStatus(approve(gateway, await ask(gateway, act, body)), 200);
}

export const find = (gateway: Gateway, as = "agent-2") =>
  gateway.call("POST", `${path}/records/customer/search`, { as, body: { by: { id: "U1" } } });

/** The end, so many hours from now. */
export async function endIn(world: World, hours: number): Promise<void> {
  await world.owner.query(
    "update postern.contract set ends_at = now() + $1::int * interval '1 hour', purge_due_at = now() + ($1::int + 168) * interval '1 hour'",
    [hours],
  );
}
