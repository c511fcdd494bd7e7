/** The scripts in real workerd, with the root key in OpenBao's Transit and an edge that was granted one contract. Skipped where it is not. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bringIntoForce, importLines } from "./support/agreement.ts";
import { edgePolicy, keeperPolicy } from "./support/documented-grants.ts";
import { type OpenBao, openBaoProgram, startOpenBao } from "./support/key-services.ts";
import { createWorkerWorld, type WorkerWorld } from "./support/worker.ts";

/** Two scripts are built and a server started, beside the suite's other files. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 180_000 });

describe.skipIf(openBaoProgram === null)("the scripts on Workers, with the root key in a key service", () => {
  let bao: OpenBao;
  let world: WorkerWorld;
  beforeAll(async () => {
    bao = await startOpenBao(openBaoProgram ?? "");
    const granted = () => bao.tokenWith(edgePolicy(["c-test", "gateway"]));
    const tokens = { keeper: await bao.tokenWith(keeperPolicy()), edge: await granted(), directory: await granted() };
    world = await createWorkerWorld((side) => ({
      POSTERN_ROOT_KEY: `vault-transit:${bao.address}/transit/postern`,
      VAULT_TOKEN: tokens[side],
    }));
    await bringIntoForce(world);
    await importLines(world, [{ id: "U1", name: "欧阳娜娜", phone: "13800138000" }]);
  });
  afterAll(async () => {
    await world?.close();
    await bao?.stop();
  });

  const search = () =>
    world.call("POST", "/v1/contracts/c-test/records/customer/search", { as: "agent-1", body: { by: { phone: "13800138000" } } });

  it("serve agents of the granted contract", async () => {
    expect((await search()).status).toBe(200);
  });

  it("refuse with keys_unavailable once the grant is taken away, and serve again when it is given back", async () => {
    await world.edge.restart({ secrets: { VAULT_TOKEN: await bao.tokenWith(edgePolicy(["c-other", "gateway"])) } });
    const refused = await search();
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, "keys_unavailable"]);
    await world.edge.restart();
    expect((await search()).status).toBe(200);
  });
});
