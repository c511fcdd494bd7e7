/** What the doctor says of witnesses: by what the keeper's database holds, whoever wrote it there. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatWitnessVkey, noteKey, parseWitnessVkey, witnessKey } from "../src/audit/index.ts";
import { createSigner, randomBytes } from "../src/crypto/index.ts";
import { type RunningWitness, startWitness } from "../src/node-witness.ts";
import { type CommandLine, createCommandLine, operatorFile } from "./support/command-line.ts";
import { createLogGateway, type LogGateway } from "./support/log-gateway.ts";
import { disarmTriggers } from "./support/stored-log.ts";

let world: LogGateway;
let line: CommandLine;
let witness: RunningWitness;
const directory = mkdtempSync(join(tmpdir(), "postern-doctor-witnesses-"));

beforeAll(async () => {
  const logSigner = await createSigner(randomBytes(32));
  const at = { directory, logs: [noteKey("test/postern/gateway", logSigner.publicKey)], host: "127.0.0.1", port: 0 };
  witness = await startWitness({ ...at, name: "witness.example" });
  const key = parseWitnessVkey(witness.vkey);
  const gone = witnessKey("gone.example", (await createSigner(randomBytes(32))).publicKey);
  const urls = { here: `http://127.0.0.1:${witness.port}`, gone: "http://127.0.0.1:9" };
  if (key === null) throw new Error("a witness names its key");
  world = await createLogGateway({ keeper: { logSigner, witnesses: [{ key, url: urls.here, logs: ["gateway"] }] } });
  line = await createCommandLine();
  const both = [
    { key: witness.vkey, url: urls.here },
    { key: formatWitnessVkey(gone), url: urls.gone },
  ];
  line.put("postern.yaml", `${operatorFile}witnesses: ${JSON.stringify(both.slice(0, 1))}\n`);
  line.put("two.yaml", `${operatorFile}witnesses: ${JSON.stringify(both)}\n`);
});
afterAll(async () => {
  line.remove();
  await witness.stop();
  await world.close();
  rmSync(directory, { recursive: true });
});

type Found = Readonly<Record<string, { readonly status: string; readonly detail: string; readonly cure: string }>>;

/** By the name of the check. */
async function doctor(file = "postern.yaml"): Promise<Found> {
  const { stdout } = await line.postern("doctor --json", "", { DATABASE_URL_KEEPER: world.urls.keeperUrl, POSTERN_CONFIG: file });
  const { checks } = JSON.parse(stdout) as { checks: readonly { check: string; status: string; detail: string; cure: string }[] };
  return Object.fromEntries(checks.map(({ check, ...found }) => [check, found]));
}

async function write(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await world.gateway.call("GET", "/v1/contracts/c-none", { as: "owner-1" });
  await world.gateway.keeper.sequence();
}

describe("the doctor", () => {
  it("says how far a witness has come, and that any quorum is met where it has seen all", async () => {
    await write(3);
    expect(await world.gateway.keeper.witness()).toEqual([]);
    const found = await doctor();
    expect(found["witness witness.example"]).toMatchObject({
      status: "ok",
      detail: expect.stringMatching(/^gateway: 3 entries cosigned at 20\d\d-[\d-]+T[\d:.]+Z$/),
    });
    expect(found.witnesses).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("of 3 entries, is cosigned by 1 of 1: any quorum"),
    });
  });

  it("says how many entries it is behind by, for how long, and which quorum is not met", async () => {
    await write(2);
    const found = await doctor("two.yaml");
    expect(found["witness witness.example"]).toMatchObject({
      status: "ok",
      detail: expect.stringMatching(/^gateway: 3 entries cosigned at .*Z, 2 behind for \d+ s$/),
    });
    expect(found["witness gone.example"]?.detail).toMatch(/^gateway: nothing cosigned yet, 5 behind for \d+ s$/);
    expect(found.witnesses?.detail).toContain(
      "of 5 entries, is cosigned by 0 of 2: a trust file's quorum of more than 0 of them is not met yet",
    );
  });

  it("finds it failing once that has lasted for ten minutes", async () => {
    const old = (Date.now() - 700_000).toString(16).padStart(12, "0");
    await disarmTriggers(world.owner);
    await world.owner.query("update audit.seq set flush_id = $1 where log = 'gateway' and index = 3", [
      `${old.slice(0, 8)}-${old.slice(8)}-7000-8000-000000000000`,
    ]);
    const found = await doctor();
    expect(found["witness witness.example"]).toMatchObject({
      status: "failing",
      detail: expect.stringMatching(/2 behind for 7\d\d s$/),
      cure: expect.stringContaining(`does http://127.0.0.1:${witness.port} answer`),
    });
    expect(found.witnesses).toMatchObject({ status: "failing", detail: expect.stringMatching(/more than 0 of them is not met$/) });
  });

  it("believes no cosignature that the witness did not sign", async () => {
    await world.owner.query(
      "insert into audit.cosignature (log, size, witness, line) select log, 5, witness, line from audit.cosignature where size = 3",
    );
    const found = await doctor();
    expect(found["witness witness.example"]).toMatchObject({
      status: "failing",
      detail: "gateway: what is stored as its cosignature of 5 entries is none of its key",
    });
    expect(found.witnesses?.detail).toContain("is cosigned by 0 of 1");
  });
});
