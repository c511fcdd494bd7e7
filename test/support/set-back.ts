/**
 * A log whose database is set back behind its anchor: a gateway on a real Postgres, what its readers kept, and the operator's way on.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { createFileAnchor } from "../../src/audit/file-anchor.ts";
import { parseTrust, type Trust } from "../../src/audit/trust.ts";
import { expectStatus, importLines } from "./agreement.ts";
import { agreeOnTrust, createLogGateway, type LogGateway, type LogGatewayOptions, readMany } from "./log-gateway.ts";
import { disarmTriggers, newestCheckpoint, rememberLogs, type StoredLog, sizeOf } from "./stored-log.ts";

export const origin = "test/postern/c-test";

export interface Plan {
  readonly opens: string;
  readonly entries: number;
  readonly published: { readonly origin: string; readonly entries: number; readonly checkpoint: string };
  readonly lost: { readonly from: number; readonly to: number };
  readonly begun: boolean;
}

export interface SetBack {
  /** Entries that the database holds, and that were published. */
  readonly held: number;
  readonly published: number;
  /** What readers kept of what is still there, and of what is gone. */
  readonly before: { readonly promises: readonly string[]; readonly checkpoint: string };
  readonly gone: { readonly promises: readonly string[]; readonly checkpoint: string };
}

export interface EpochWorld extends LogGateway {
  /** As it was handed out when the contract was activated. */
  readonly trust: Trust;
  readonly stored: StoredLog;
  ask(body: unknown, options?: { readonly log?: string; readonly as?: string }): Promise<Response>;
  plan(log?: string): Promise<Plan>;
  open(confirm: string, log?: string): Promise<Plan>;
  /** Code of the problem, and of what is wrong with the request. */
  refusal(answer: Promise<Response>): Promise<string[]>;
  readyz(): Promise<string>;
  freshTrust(): Promise<Trust>;
  receiptOf(promise: string): Promise<string>;
  /** Reads, and sets the database back to before the last of them. */
  setBack(day?: string, lost?: number): Promise<SetBack>;
  /** Answers the promise. */
  readOnce(): Promise<string>;
  /** Effects of the entries that say `event`. */
  eventsOf(log: string, event: string): Promise<unknown[]>;
}

export async function createEpochWorld(options: LogGatewayOptions = {}): Promise<EpochWorld> {
  const directory = await mkdtemp(join(tmpdir(), "postern-epochs-"));
  const world = await createLogGateway({ ...options, keeper: { anchor: createFileAnchor(directory), ...options.keeper } });
  const { gateway, owner } = world;
  const trust = await agreeOnTrust(gateway);
  await importLines(gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  await disarmTriggers(owner);
  const stored: StoredLog = { owner, log: "c-test" };
  const kept = async (reads: number) => ({ promises: await readMany(gateway, reads), checkpoint: await newestCheckpoint(stored) });
  const ask: EpochWorld["ask"] = (body, { log = "c-test", as = "operator" } = {}) =>
    gateway.call("POST", `/log/${log}/epochs`, { as, body });
  const planOf = async (body: unknown, log: string) => (await (await expectStatus(ask(body, { log }), 200)).json()) as Plan;
  return {
    ...world,
    ...{ trust, stored, ask },
    plan: (log = "c-test") => planOf({ dry_run: true }, log),
    open: (confirm, log = "c-test") => planOf({ confirm }, log),
    async refusal(answer) {
      const { code, errors } = (await (await answer).json()) as { code: string; errors?: { code: string }[] };
      return [code, ...(errors ?? []).map((error) => error.code)];
    },
    readyz: async () => ((await (await gateway.call("GET", "/readyz")).json()) as { checks: { audit: string } }).checks.audit,
    async freshTrust() {
      const parsed = parseTrust(
        await (await expectStatus(gateway.call("GET", "/v1/contracts/c-test/trust", { as: "owner-1" }), 200)).text(),
      );
      if (!parsed.ok) throw new Error(parsed.refusal);
      return parsed.value;
    },
    async receiptOf(promise) {
      const id = /id="([^"]+)"/.exec(promise)?.[1];
      return (await expectStatus(gateway.call("GET", `/log/c-test/receipt/${id}`, { as: "owner-1" }), 200)).text();
    },
    async setBack(day = "yesterday", lost = 8) {
      const before = await kept(12);
      const held = await sizeOf(stored);
      const back = await rememberLogs(owner, day);
      const gone = await kept(lost);
      const published = await sizeOf(stored);
      await back();
      await expect(gateway.keeper.patrol()).rejects.toThrow("the database was set back");
      return { before, gone, held, published };
    },
    async readOnce() {
      const path = "/v1/contracts/c-test/records/customer/search";
      const answer = await expectStatus(gateway.call("POST", path, { as: "agent-1", body: { by: { phone: "13800138000" } } }), 200);
      return answer.headers.get("audit-promise") ?? "";
    },
    async eventsOf(log, event) {
      const rows = await owner.query("select effect from audit.search where log = $1 and event = $2 order by index", [log, event]);
      return rows.map(([effect]) => effect);
    },
    async close() {
      await world.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
