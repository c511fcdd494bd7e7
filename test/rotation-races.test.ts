/** A rotation that comes exactly between two steps of a reading: the moments that load meets by chance only. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInFlight } from "../src/kernel/index.ts";
import type { Database } from "../src/storage/index.ts";
import { search } from "./support/agreement.ts";
import type { Gateway } from "./support/gateway.ts";
import { createWorld, openGateway, populate, type World } from "./support/purge-world.ts";
import { askRotation, finishRotation, showKeys } from "./support/rotation.ts";

/** Runs once, around the next statement whose text holds `of`. */
interface Hook {
  readonly of: string;
  readonly when: "before" | "after";
  run(): Promise<unknown>;
}

let hook: Hook | null = null;
let world: World;
/** Another process than the one that moves the keys, with a cache of its own. */
let reader: Gateway;
let locator: string;

async function hooked(text: string, when: Hook["when"]): Promise<void> {
  if (hook?.when !== when || !text.includes(hook.of)) return;
  const { run } = hook;
  hook = null;
  await run();
}

function watched(made: Database): Database {
  return {
    ...made,
    async query(text, params) {
      await hooked(text, "before");
      const rows = await made.query(text, params);
      await hooked(text, "after");
      return rows;
    },
  };
}

/** Up to the fence: every key lies under a new epoch, and the old one still stands. */
async function move(): Promise<void> {
  await askRotation(world.gateway);
  await world.gateway.keeper.tick();
}

function read(): Promise<Response> {
  return reader.call("GET", `/v1/contracts/c-test/records/customer/${locator}`, { as: "agent-1" });
}

beforeAll(async () => {
  world = await createWorld({ keeper: { fenceWaitMs: 600_000 } });
  await populate(world.gateway);
  reader = await openGateway(world, { edgeDatabase: watched });
  locator = (await search(reader, { phone: "13810000003" })).records[0]?.locator ?? "";
});
afterAll(async () => {
  await reader.close();
  await world.close();
});

describe("a rotation in the midst of a reading", () => {
  it("comes between the two loads of a search, whose hits then lie under an epoch that the first did not know", async () => {
    hook = { of: "from postern.blind_index b", when: "before", run: move };
    expect((await search(reader, { phone: "13810000003" })).records).toHaveLength(1);
    expect(await showKeys(reader)).toMatchObject({ rotation: { step: "rewrap" } });
    await finishRotation(reader);
  });

  it.each([
    ["before what is wrapped is read", 'from "postern"."contract_key"', "before"],
    ["between what is wrapped and the epochs", 'from "postern"."contract_key"', "after"],
    ["between the epochs and what is wrapped", 'from "postern"."key_epoch"', "after"],
  ] as const)("comes while the contract's keys are opened, %s", async (_moment, of, when) => {
    reader.keeper.purge.keyring.forget("c-test" as never);
    hook = { of, when, run: move };
    expect((await read()).status).toBe(200);
    expect((await read()).status).toBe(200);
    expect(await showKeys(reader)).toMatchObject({ rotation: { step: "rewrap" } });
    await finishRotation(reader);
  });

  it("waits, before it retires an epoch, for who has loaded a key under it; not for who came later", async () => {
    let rotating: Promise<unknown> | null = null;
    let beside = 0;
    hook = {
      of: "jsonb_to_recordset($2::text::jsonb) as q(",
      when: "after",
      async run() {
        rotating = askRotation(reader).then(() => reader.keeper.tick());
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        reader.keeper.purge.keyring.forget("c-test" as never);
        beside = (await read()).status;
      },
    };
    expect((await read()).status).toBe(200);
    expect(beside).toBe(200);
    await rotating;
    expect((await finishRotation(reader)).epochs.at(-2)).toMatchObject({ state: "destroyed" });
  });
});

describe("a fence under load", () => {
  it("passes once what had begun has ended, and is not held by what begins later; idle is", async () => {
    const inFlight = createInFlight();
    const ends: (() => void)[] = [];
    const begin = () => inFlight.run("c", () => new Promise<void>((resolve) => void ends.push(resolve)));
    const reached: string[] = [];
    const works = [begin()];
    const passed = inFlight.passed("c").then(() => void reached.push("passed"));
    works.push(begin());
    const idle = inFlight.idle("c").then(() => void reached.push("idle"));
    const again = inFlight.passed("c").then(() => void reached.push("passed again"));
    works.push(begin());
    ends[0]?.();
    await passed;
    expect(reached).toEqual(["passed"]);
    ends[1]?.();
    await again;
    expect(reached).toEqual(["passed", "passed again"]);
    ends[2]?.();
    await Promise.all([idle, ...works]);
    expect(reached).toEqual(["passed", "passed again", "idle"]);
    await inFlight.passed("c");
    await inFlight.idle("c");
  });
});
