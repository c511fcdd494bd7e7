/** Keys move from one root key to another while people read: nothing is lost wherever it is killed, and at the end the old root key opens nothing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fromBase64, randomBytes, toBase64 } from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { createRootKey, joinRootKeys, type RootKey, rewrapRoot } from "../src/keys/index.ts";
import { ConfigRefused } from "../src/operator-settings.ts";
import { rootKeysOf } from "../src/start-checks.ts";
import type { Database } from "../src/storage/index.ts";
import { expectStatus, search } from "./support/agreement.ts";
import { createCommandLine } from "./support/command-line.ts";
import { openTestPool } from "./support/databases.ts";
import type { Gateway } from "./support/gateway.ts";
import { createWorld, entriesOf, neighbour, openGateway, populate, purge, type World } from "./support/purge-world.ts";
import { root as repository } from "./support/repository.ts";
import { rotate } from "./support/rotation.ts";

const grant = "grant update (wrapped) on postern.audit_key to postern_keeper";
const revoke = "revoke update (wrapped) on postern.audit_key from postern_keeper";
const nextSecret = toBase64(randomBytes(32));
const next = createRootKey(nodeAead, fromBase64(nextSecret));
let world: World;
let former: RootKey;
let keeper: Database;

interface Standing {
  readonly root_key: string;
  readonly beside: string | null;
  readonly wrapped: { root_key: string; shares: number; log_keys: number }[];
  readonly left: number;
  readonly foreign: number;
  readonly may_change_log_keys: boolean;
  readonly moved?: number;
  readonly stuck?: string[];
}

beforeAll(async () => {
  world = await createWorld();
  former = createRootKey(nodeAead, fromBase64(world.secrets.root));
  keeper = openTestPool(world.keeperUrl);
  await populate(world.gateway);
  await populate(world.gateway, neighbour, 3);
  await rotate(world.gateway);
}, 60_000);
afterAll(async () => {
  await keeper.close();
  await world.close();
});

const nameOf = (key: RootKey): string => key.names[0] ?? "";
const opened = (root: RootKey): Promise<Gateway> => openGateway(world, {}, { root });
const moveTo = (root: RootKey, from: RootKey, database: Database = keeper) => rewrapRoot(database, root, nameOf(from), () => false);

/** Share A of every epoch and every key of a log, opened one by one. */
async function openedBy(root: RootKey): Promise<{ open: number; closed: number }> {
  const shares = await world.owner.query(
    "select 'share-a/' || contract_id || '/' || epoch, share_a from postern.key_epoch where share_a is not null",
  );
  const logs = await world.owner.query("select 'audit/' || log || '/' || purpose, wrapped from postern.audit_key");
  const found = await Promise.all([...shares, ...logs].map(([context, wrapped]) => root.unwrap(String(context), wrapped as Uint8Array)));
  return { open: found.filter((key) => key !== null).length, closed: found.filter((key) => key === null).length };
}

async function move(gateway: Gateway, confirm: string): Promise<Standing> {
  const asked = gateway.call("POST", "/v1/root-key/rewrap", { as: "operator", body: { confirm } });
  return (await (await expectStatus(asked, 200)).json()) as Standing;
}

async function refused(gateway: Gateway, confirm: string, as = "operator") {
  const response = await gateway.call("POST", "/v1/root-key/rewrap", { as, body: { confirm } });
  const { code, errors } = (await response.json()) as { code: string; errors?: object[] };
  return [response.status, code, errors?.[0]];
}

describe("two root keys at once", () => {
  it("read what lies under either, and wrap under the first", async () => {
    const both = joinRootKeys(next, former);
    const key = randomBytes(32);
    expect(await both.unwrap("audit/x/y", await former.wrap("audit/x/y", key))).toEqual(key);
    const wrapped = await both.wrap("audit/x/y", key);
    expect([await next.unwrap("audit/x/y", wrapped), await former.unwrap("audit/x/y", wrapped)]).toEqual([key, null]);
    expect(await both.unwrap("audit/x/z", wrapped)).toBeNull();
  });

  it("cannot be one key, nor have a name that tells of the key", () => {
    expect(() => joinRootKeys(former, former)).toThrow(RangeError);
    expect(() => rootKeysOf(former, former)).toThrow(ConfigRefused);
    expect([rootKeysOf(former, null), rootKeysOf(next, former).names]).toEqual([former, [nameOf(next), nameOf(former)]]);
    expect(nameOf(former)).toMatch(/^[0-9a-f]{16}$/);
    expect(Buffer.from(world.secrets.root, "base64").toString("hex")).not.toContain(nameOf(former));
  });

  it("keep a stranger's wrapping closed under its own name", async () => {
    const forged = (await former.wrap("audit/x/y", randomBytes(32))).slice();
    forged.set(Buffer.from(nameOf(next), "hex"));
    expect(await joinRootKeys(next, former).unwrap("audit/x/y", forged)).toBeNull();
  });
});

describe("an operator moves keys to another root key", { timeout: 60_000 }, () => {
  it("is refused without one beside, without the name typed, without the owner's grant, and who is no operator always", async () => {
    expect(await refused(world.gateway, nameOf(former))).toEqual([
      503,
      "misconfigured",
      { pointer: "POSTERN_ROOT_KEY_BESIDE", code: "missing" },
    ]);
    const gateway = await opened(joinRootKeys(next, former));
    expect(await refused(gateway, nameOf(former))).toEqual([422, "unacceptable", { pointer: "/confirm", code: "not_the_root_key" }]);
    const granted = { pointer: "postern.audit_key", code: "not_granted", message: grant };
    expect(await refused(gateway, nameOf(next))).toEqual([503, "misconfigured", granted]);
    for (const as of ["owner-1", "officer", "agent-1"]) expect((await refused(gateway, nameOf(next), as))[0]).toBe(403);
    expect((await openedBy(former)).closed).toBe(0);
    await gateway.close();
  });

  it("and everybody reads on meanwhile: one process wraps under the old one still, another under the new", async () => {
    const [early, late] = [await opened(joinRootKeys(former, next)), await opened(joinRootKeys(next, former))];
    let stopped = false;
    const found = new Set<number>();
    const reader = async (gateway: Gateway) => {
      while (!stopped) found.add((await search(gateway, { phone: "13810000003" })).records.length);
    };
    const readers = [reader(early), reader(late)];
    const before = await openedBy(former);
    await world.owner.script(grant);
    const dry = await late.call("POST", "/v1/root-key/rewrap", { as: "operator", body: { dry_run: true } });
    expect(await dry.json()).toMatchObject({
      root_key: nameOf(next),
      beside: nameOf(former),
      left: before.open,
      may_change_log_keys: true,
    });
    const moved = await move(late, nameOf(next));
    expect(moved).toMatchObject({ moved: before.open, stuck: [], left: 0, foreign: 0 });
    expect(moved.wrapped.map(({ root_key }) => root_key)).toEqual([nameOf(next)]);
    stopped = true;
    await Promise.all(readers);
    expect([...found]).toEqual([1]);
    await world.owner.script(revoke);
    await Promise.all([early.close(), late.close()]);
  });

  it("and its begin and its end stand in the gateway log, refusals too", async () => {
    const entries = (await entriesOf(world.owner, "gateway")).filter(({ event }) => event.startsWith("root_key.move."));
    const last = entries.slice(-2).map(({ event, outcome, facts }) => [event, outcome.code, facts?.from, facts?.to, facts?.left]);
    expect(last).toEqual([
      ["root_key.move.intent", "ordered", nameOf(former), nameOf(next), expect.any(Number)],
      ["root_key.move.done", "moved", nameOf(former), nameOf(next), 0],
    ]);
    expect(entries.slice(0, -2).map(({ outcome }) => outcome.code)).toEqual(["misconfigured", "unacceptable", "misconfigured"]);
  });

  it("and then the new one alone opens everything, and the old one alone nothing", async () => {
    expect(await openedBy(next)).toMatchObject({ closed: 0 });
    expect(await openedBy(former)).toMatchObject({ open: 0 });
    const gateway = await opened(next);
    expect((await search(gateway, { phone: "13810000003" })).records).toHaveLength(1);
    const standing = (await (await gateway.call("GET", "/v1/root-key", { as: "operator" })).json()) as Standing;
    expect(standing).toMatchObject({ root_key: nameOf(next), beside: null, left: 0, foreign: 0, may_change_log_keys: false });
    await gateway.keeper.sequence();
    const entries = await gateway.call("GET", "/v1/contracts/c-test/audit/entries?actor=demo/agent-1", { as: "officer" });
    const listed = (await entries.json()) as { entries: { actor: { subject: string } }[] };
    expect([...new Set(listed.entries.map(({ actor }) => actor.subject))]).toEqual(["agent-1"]);
    await gateway.close();
    await expect(opened(former)).rejects.toThrow("POSTERN_ROOT_KEY is not the key that this database began with");
  });

  it("and the doctor says so", async () => {
    const line = await createCommandLine({ migrated: true });
    const found = async (secret: string) => {
      line.put("root.key", secret);
      chmodSync(join(line.home, "root.key"), 0o600);
      const settings = { POSTERN_ROOT_KEY: `file:${join(line.home, "root.key")}`, DATABASE_URL_KEEPER: world.keeperUrl };
      const { checks } = JSON.parse((await line.postern("doctor --json", "", settings)).stdout) as { checks: Record<string, string>[] };
      return checks.find(({ check }) => check === "root key");
    };
    expect(await found(nextSecret)).toMatchObject({ status: "ok", detail: "opens what is stored" });
    expect(await found(world.secrets.root)).toMatchObject({ status: "failing" });
    line.remove();
  });
});

/** Every test below begins with everything under `former`. */
describe("a move is cut off", { timeout: 60_000 }, () => {
  beforeAll(() => world.owner.script(grant));
  beforeEach(async () => {
    await moveTo(joinRootKeys(former, next), next);
    expect((await openedBy(former)).closed).toBe(0);
  });

  it("at any moment, and whoever comes next ends it: every key lies under one or the other, and none twice", async () => {
    const both = joinRootKeys(next, former);
    const { open } = await openedBy(both);
    for (let moment = 0; moment < open * 3; moment++) {
      let left = moment;
      const dies = () => {
        if (left-- === 0) throw new Error("killed");
      };
      const dying: RootKey = {
        names: both.names,
        async unwrap(context, wrapped) {
          dies();
          return both.unwrap(context, wrapped);
        },
        async wrap(context, key) {
          dies();
          const wrapped = await both.wrap(context, key);
          dies();
          return wrapped;
        },
      };
      await expect(moveTo(dying, former)).rejects.toThrow("killed");
      expect((await openedBy(both)).closed).toBe(0);
      expect((await openedBy(former)).open + (await openedBy(next)).open).toBe(open);
      await moveTo(both, former);
      expect((await openedBy(next)).closed).toBe(0);
      await moveTo(joinRootKeys(former, next), next);
    }
  });

  it("by SIGKILL of its process, again and again", async () => {
    const both = joinRootKeys(next, former);
    // Until it was killed in the midst of it: on a busy machine the first ones die before they moved anything.
    for (let kills = 0; kills < 3 || (await openedBy(next)).open === 0; kills++) {
      const script = join(repository, "test/support/root-move-process.ts");
      const child = spawn(process.execPath, [script, world.keeperUrl, world.secrets.root, nextSecret], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(child, "exit");
      await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, 60 + 35 * kills));
      child.kill("SIGKILL");
      await ended;
      expect((await openedBy(both)).closed).toBe(0);
    }
    expect((await openedBy(next)).open).toBeGreaterThan(0);
    await moveTo(both, former);
    expect((await openedBy(next)).closed).toBe(0);
  });

  it("by its own time, and says what is left", async () => {
    const { open } = await openedBy(former);
    let looks = 0;
    const { moved } = await rewrapRoot(keeper, joinRootKeys(next, former), nameOf(former), () => looks++ === 2);
    expect([moved, (await openedBy(former)).open]).toEqual([2, open - 2]);
  });

  it("by another that runs at once: both come to the end", async () => {
    const both = joinRootKeys(next, former);
    await Promise.all([moveTo(both, former), moveTo(both, former), moveTo(both, former)]);
    expect(await openedBy(next)).toMatchObject({ closed: 0 });
  });

  it("by a key that does not open: it is named, and the others move", async () => {
    await world.owner.query(
      "update postern.audit_key set wrapped = substring(wrapped for 8) || sha256(wrapped) where log = 'c-other' and purpose = (select min(purpose) from postern.audit_key where log = 'c-other')",
    );
    const gateway = await opened(joinRootKeys(next, former));
    const moved = await move(gateway, nameOf(next));
    expect(moved).toMatchObject({ stuck: [expect.stringMatching(/^audit\/c-other\/20/)], left: 1 });
    expect(await openedBy(next)).toMatchObject({ closed: 1 });
    await gateway.close();
    await world.owner.query("delete from postern.audit_key where substring(wrapped for 8) = decode($1, 'hex')", [nameOf(former)]);
  });

  it("by a purge: a share that was erased meanwhile stays erased", async () => {
    const both = joinRootKeys(next, former);
    let erased = false;
    const slow: RootKey = {
      ...both,
      async wrap(context, key) {
        if (context.startsWith("share-a/c-test/")) {
          await purge(world.gateway);
          erased = true;
        }
        return both.wrap(context, key);
      },
    };
    await moveTo(slow, former);
    expect(erased).toBe(true);
    expect(await world.owner.query("select count(share_a)::int from postern.key_epoch where contract_id = 'c-test'")).toEqual([[0]]);
  });
});
