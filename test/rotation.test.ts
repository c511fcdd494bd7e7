/** A contract's keys move to a new epoch while people read and write, on a real Postgres. */
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/index.ts";
import { verifySignature } from "../src/crypto/index.ts";
import { commitmentTo } from "../src/keys/contract-keys.ts";
import { verifyCertificate } from "../src/purge/verify-certificate.ts";
import { expectStatus, importLines, search } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import {
  approvePurge,
  contentOf,
  createWorld,
  customers,
  entriesOf,
  eventsOf,
  fetchCertificate,
  neighbour,
  openGateway,
  orderPurge,
  populate,
  stateOf,
  verifyLog,
  type World,
} from "./support/purge-world.ts";
import { askRotation, finishRotation, rotate, showKeys } from "./support/rotation.ts";

const acts = ["epoch", "rewrap", "retire", "share_b", "share_a"];

async function inWorld(work: (world: World) => Promise<void>, twist: Parameters<typeof createWorld>[0] = {}): Promise<void> {
  const world = await createWorld(twist);
  try {
    await work(world);
  } finally {
    await world.close();
  }
}

describe("a rotation", () => {
  let world: World;
  let gateway: Gateway;
  let trust: Trust;
  let before: Awaited<ReturnType<typeof ciphertextsOf>>;
  beforeAll(async () => {
    world = await createWorld();
    gateway = world.gateway;
    trust = await populate(gateway, {}, 1_200);
    await populate(gateway, neighbour, 3);
    before = await ciphertextsOf(world);
    await rotate(gateway);
  }, 60_000);
  afterAll(() => world.close());

  it("leaves every key under the new epoch and nothing of the old one but its commitments", async () => {
    const { epochs, rotation } = await showKeys(gateway);
    expect(epochs).toMatchObject([
      { epoch: 1, state: "destroyed", wrapped: { subjects: 0, purposes: 0 } },
      { epoch: 2, state: "in_use", wrapped: { subjects: 1_200, purposes: 3 } },
    ]);
    expect(rotation).toMatchObject({ step: "share_a", epoch: 2, progress: { done: 5, of: 5, rewrapped: 1_200, keys: 1_200 } });
    expect(readdirSync(world.shareDirectory).sort()).toEqual(["c-other.1.share", "c-test.2.share"]);
    const shares = await world.owner.query("select epoch, share_a is null from postern.key_epoch where contract_id = 'c-test' order by 1");
    expect(shares).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  it("seals no record again", async () => expect(await ciphertextsOf(world)).toEqual(before));

  it("reads and finds what was stored before, and what is stored since", async () => {
    expect((await search(gateway, { phone: "13810000007" })).records).toHaveLength(1);
    await importLines(gateway, [
      { id: "U1", name: "欧阳娜娜", phone: "13910000001" },
      { id: "new", name: "林小满", phone: "13910000002" },
    ]);
    for (const phone of ["13910000001", "13910000002"]) expect((await search(gateway, { phone })).records).toHaveLength(1);
    expect((await showKeys(gateway)).epochs[1]?.wrapped).toEqual({ subjects: 1_201, purposes: 3 });
  });

  it("says before and after each act what it does, and names the shares by their commitments", async () => {
    const entries = (await entriesOf(world.owner, "c-test")).filter(({ event }) => event.startsWith("keys.") && event !== "keys.read");
    expect(entries.map(({ event }) => event)).toEqual([
      "keys.rotation_requested",
      ...acts.flatMap((act) => [`keys.${act}.intent`, `keys.${act}.done`]),
    ]);
    const factsOf = (name: string) => entries.find(({ event }) => event === name)?.facts ?? {};
    const [old, fresh] = (await showKeys(gateway)).epochs;
    expect(factsOf("keys.epoch.done")).toMatchObject({ epoch: 2, ...fresh?.commitments });
    expect(factsOf("keys.rewrap.done")).toMatchObject({ subjects: 1_200 });
    expect(factsOf("keys.share_b.done").commitments).toEqual([old?.commitments.share_b]);
    expect(factsOf("keys.share_a.done").commitments).toEqual([old?.commitments.share_a]);
    const share = await gateway.shares.get("c-test" as never, 2);
    expect(share && commitmentTo(share)).toBe(fresh?.commitments.share_b);
  });

  it("leaves the neighbour's keys where they were, and a log that verifies", async () => {
    const { epochs, rotation } = await showKeys(gateway, "c-other", "owner-b1");
    expect({ epochs, rotation }).toMatchObject({ epochs: [{ epoch: 1, state: "in_use", wrapped: { subjects: 3 } }], rotation: null });
    expect(await verifyLog(gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });

  it("can follow another one", async () => {
    const { epochs } = await rotate(gateway);
    expect(epochs.map(({ epoch, state }) => [epoch, state])).toEqual([
      [1, "destroyed"],
      [2, "destroyed"],
      [3, "in_use"],
    ]);
    expect((await search(gateway, { phone: "13810000007" })).records).toHaveLength(1);
    expect((await entriesOf(world.owner, "c-test")).filter(({ event }) => event === "keys.share_b.done").at(-1)?.facts).toMatchObject({
      commitments: [epochs[1]?.commitments.share_b],
    });
  });
});

async function ciphertextsOf({ owner }: World): Promise<unknown> {
  return owner.query(
    "select type, locator, version, md5(concat(level0, level1, level2, level3)) from postern.record where contract_id = 'c-test' order by 1, 2",
  );
}

describe("who orders a rotation", () => {
  it("is an owner of the merchant who says which contract it is; twenty at once are one job", async () => {
    await inWorld(async ({ gateway, owner }) => {
      await populate(gateway);
      const path = "/v1/contracts/c-test/keys/rotate";
      const confirmed = { confirm: "c-test" };
      for (const [as, body, status] of [
        ["agent-1", confirmed, 403],
        ["officer", confirmed, 403],
        ["owner-b1", confirmed, 404],
        ["owner-1", { confirm: "c-other" }, 422],
        ["owner-1", {}, 422],
      ] as const) {
        expect([as, (await gateway.call("POST", path, { as, body })).status]).toEqual([as, status]);
      }
      expect((await gateway.call("GET", "/v1/contracts/c-test/keys", { as: "officer" })).status).toBe(403);
      await expectStatus(gateway.call("POST", path, { as: "owner-1", body: { dry_run: true } }), 200);
      expect((await showKeys(gateway)).rotation).toBeNull();
      const jobs = await Promise.all(Array.from({ length: 20 }, () => askRotation(gateway)));
      expect(new Set(jobs.map(({ job }) => job)).size).toBe(1);
      expect(await owner.query("select count(*)::int from postern.rotation")).toEqual([[1]]);
    });
  });

  it("cannot be, of a draft", async () => {
    await inWorld(async ({ gateway, owner }) => {
      await populate(gateway);
      await owner.query("update postern.contract set state = 'draft'");
      expect((await gateway.call("POST", "/v1/contracts/c-test/keys/rotate", { as: "owner-1", body: { confirm: "c-test" } })).status).toBe(
        409,
      );
    });
  });
});

describe("a rotation and the purge of its contract", () => {
  it("ends with every epoch destroyed, whichever epoch keys lay under, and the certificate names them all", async () => {
    await inWorld(
      async (world) => {
        const { gateway, owner } = world;
        const trust = await populate(gateway, {}, 600);
        await askRotation(gateway);
        await gateway.keeper.tick();
        // Between its fences: keys lie under the new epoch, and the old one still stands.
        const keys = await showKeys(gateway);
        expect(keys).toMatchObject({ epochs: [{ state: "in_use" }, { state: "in_use" }], rotation: { step: "rewrap" } });
        const { job } = await orderPurge(gateway);
        await approvePurge(gateway, job);
        for (let turns = 0; turns < 400 && (await stateOf(owner)).step !== "certified"; turns++) {
          await gateway.keeper.tick();
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        expect(await owner.query("select step from postern.rotation")).toEqual([["abandoned"]]);
        expect(readdirSync(world.shareDirectory)).toEqual(["c-test.purged"]);
        expect(await owner.query("select share_a is null and destroyed_at is not null from postern.key_epoch")).toEqual([[true], [true]]);
        expect((await eventsOf(owner, "c-test")).at(-1)).toBe("purge.verified");
        const jws = await fetchCertificate(gateway, job);
        expect(contentOf(jws).keys).toEqual(keys.epochs.map(({ epoch, commitments }) => ({ epoch, ...commitments, share_c: null })));
        expect(await verifyCertificate(jws, trust, verifySignature)).toMatchObject({ ok: true, problems: [] });
      },
      { keeper: { fenceWaitMs: 1_500 } },
    );
  });

  it("is refused once the purge has begun, and abandoned where it was only asked for", async () => {
    await inWorld(async ({ gateway, owner, shareDirectory }) => {
      await populate(gateway);
      await askRotation(gateway);
      await owner.query("update postern.contract set state = 'purging' where contract_id = 'c-test'");
      await gateway.keeper.tick();
      expect(await owner.query("select step from postern.rotation")).toEqual([["abandoned"]]);
      expect(readdirSync(shareDirectory)).toEqual(["c-test.1.share"]);
      const asked = await gateway.call("POST", "/v1/contracts/c-test/keys/rotate", { as: "owner-1", body: { confirm: "c-test" } });
      expect([asked.status, ((await asked.json()) as { code: string }).code]).toEqual([409, "wrong_state"]);
    });
  });
});

describe("a rotation under load", () => {
  it("fails no read, search or import at a hundred a second, here or through another process's cache, and the old epoch is gone at the end", async () => {
    await inWorld(
      async (world) => {
        const { gateway } = world;
        await populate(gateway, {}, 1_500);
        const elsewhere = await openGateway(world);
        const locators = (await world.owner.query("select locator from postern.record where contract_id = 'c-test'")).map(([name]) =>
          String(name),
        );
        const answers = new Map<string, number>();
        let stopped = false;
        const read = async (n: number) => {
          const door = n % 3 === 0 ? elsewhere : gateway;
          const path = `/v1/contracts/c-test/records/customer`;
          const as = "agent-1";
          const answer = await (n % 5 === 0
            ? door.call("POST", `${path}/search`, { as, body: { by: { phone: `138${10_000_000 + (n % 1_500)}` } } })
            : door.call("GET", `${path}/${locators[(n * 7) % locators.length]}`, { as }));
          const kind = `${n % 5 === 0 ? "search" : "read"} ${answer.status}`;
          answers.set(kind, (answers.get(kind) ?? 0) + 1);
        };
        const load = (async () => {
          const under: Promise<void>[] = [];
          for (let n = 0; !stopped; n++) {
            under.push(read(n));
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          await Promise.all(under);
        })();
        const imports = (async () => {
          for (let n = 0; !stopped; n++) {
            await importLines(
              gateway,
              customers(5).map((customer) => ({ ...customer, id: `new-${n}-${customer.id}` })),
            );
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        })();
        for (let turn = 0; turn < 2; turn++) {
          await new Promise((resolve) => setTimeout(resolve, 300));
          await askRotation(gateway);
          await finishRotation(gateway);
        }
        stopped = true;
        await Promise.all([load, imports]);
        expect(Object.keys(Object.fromEntries(answers)).sort()).toEqual(["read 200", "search 200"]);
        expect(answers.get("read 200")).toBeGreaterThan(100);
        const { epochs } = await showKeys(gateway);
        expect(epochs.map(({ state }) => state)).toEqual(["destroyed", "destroyed", "in_use"]);
        expect(epochs.slice(0, 2).map(({ wrapped }) => wrapped)).toEqual(Array(2).fill({ subjects: 0, purposes: 0 }));
        expect([...gateway.faults, ...elsewhere.faults]).toEqual([]);
        expect(readdirSync(world.shareDirectory)).toEqual(["c-test.3.share"]);
        await elsewhere.close();
      },
      // Longer than any request here takes.
      { keeper: { fenceWaitMs: 1_500 } },
    );
  }, 60_000);
});
