/** Four eyes and the clock on a real Postgres, where requests and keepers truly run at once: one decides of however many, and what is over is told once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Trust } from "../src/audit/index.ts";
import { because, contractText, expectStatus, problemOf, shippedPolicy } from "./support/agreement.ts";
import { endIn } from "./support/ladder.ts";
import { createWorld, entriesOf, openGateway, populate, verifyLog, type World } from "./support/purge-world.ts";

const base = "/v1/contracts/c-test";

let world: World;
let trust: Trust;
beforeAll(async () => {
  world = await createWorld();
  trust = await populate(world.gateway, {}, 3);
});
afterAll(() => world.close());

const call = (method: string, path: string, as: string, body?: unknown) =>
  world.gateway.call(method, path, { as, ...(body !== undefined && { body }), ...because });

async function stateOf(id: string): Promise<string | undefined> {
  const answer = await expectStatus(call("GET", "/v1/approvals", "owner-2"), 200);
  const { approvals } = (await answer.json()) as { approvals: { id: string; state: string }[] };
  return approvals.find((one) => one.id === id)?.state;
}

/** Of a suspension of its own, so that each is another request. */
async function askToResume(): Promise<string> {
  await expectStatus(call("POST", `${base}/suspend`, "owner-1", { reason: "audit" }), 200);
  return askToResumeAgain();
}

async function askToResumeAgain(): Promise<string> {
  const asked = await expectStatus(call("POST", `${base}/resume`, "owner-1"), 202);
  return ((await asked.json()) as { approval: { id: string } }).approval.id;
}

const decide = (id: string, word: string, as = "owner-2") => call("POST", `/v1/approvals/${id}/${word}`, as);

/** What the contract's log says became of one request, refusals left out. */
async function outcomesOf(id: string): Promise<string[]> {
  const entries = await entriesOf(world.owner, "c-test");
  return entries
    .filter(({ facts, outcome }) => facts?.approval === id && (outcome.effect === "allow" || outcome.code === "expired"))
    .map(({ event }) => event);
}

async function letExpire(id: string): Promise<void> {
  await world.owner.query("update postern.approval set expires_at = now() - interval '1 second' where approval_id = $1", [id]);
}

describe("of many who decide one request at once", () => {
  it("fifty who approve are one: one effect, one entry", async () => {
    const id = await askToResume();
    const answers = await Promise.all(Array.from({ length: 50 }, () => decide(id, "approve")));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 49 }, () => 409)]);
    expect(await outcomesOf(id)).toEqual(["contract.resumed"]);
    expect(await stateOf(id)).toBe("approved");
  });

  it("one decides, whichever it is: approved, rejected, withdrawn or expired", async () => {
    const events = {
      approved: "contract.resumed",
      rejected: "approval.rejected",
      withdrawn: "approval.withdrawn",
      expired: "approval.expired",
    };
    for (let turn = 0; turn < 4; turn++) {
      const id = await askToResume();
      const decided = [decide(id, "approve"), decide(id, "reject"), decide(id, "withdraw", "owner-1")];
      const racers = turn % 2 === 0 ? decided : [...decided.reverse(), letExpire(id).then(() => world.gateway.keeper.tick())];
      await Promise.all(racers);
      await world.gateway.keeper.tick();
      const state = await stateOf(id);
      expect(Object.keys(events)).toContain(state);
      expect(await outcomesOf(id)).toEqual([events[state as keyof typeof events]]);
      if (state !== "approved") await expectStatus(decide(await askToResumeAgain(), "approve"), 200);
    }
  });

  it("one whose act is refused leaves it open for whoever comes next", async () => {
    const id = await askToResume();
    await world.owner.query("update postern.contract set suspended_at = null where contract_id = 'c-test'");
    for (let again = 0; again < 2; again++) expect((await problemOf(decide(id, "approve"), 409)).code).toBe("wrong_state");
    await expectStatus(decide(id, "withdraw", "owner-1"), 200);
  });
});

describe("a request that nobody decided in its time", () => {
  it("is over at that moment, and nobody decides it any more", async () => {
    const id = await askToResume();
    await letExpire(id);
    expect(await stateOf(id)).toBe("expired");
    for (const [word, as] of [
      ["approve", "owner-2"],
      ["reject", "owner-2"],
      ["withdraw", "owner-1"],
    ] as const) {
      const problem = await problemOf(decide(id, word, as), 409);
      expect([problem.code, problem.errors]).toMatchObject(["approval_closed", [{ pointer: "/state", code: "expired" }]]);
    }
    const again = await askToResumeAgain();
    expect(again).not.toBe(id);
    await expectStatus(decide(again, "approve"), 200);
  });

  it("leaves one entry, however many keepers look, and wherever one of them dies", async () => {
    const id = await askToResume();
    await letExpire(id);
    const other = await openGateway(world);
    const keepers = [world.gateway, other, world.gateway, other].map(({ keeper }) => keeper);
    await Promise.all(keepers.map((keeper) => keeper.tick()));
    expect(await outcomesOf(id)).toEqual(["approval.expired"]);
    // A keeper that died after the entry, then one that died before it.
    const die = () =>
      world.owner.query("update postern.approval set taken_until = now() - interval '1 second' where approval_id = $1", [id]);
    await die();
    await Promise.all(keepers.map((keeper) => keeper.tick()));
    expect(await outcomesOf(id)).toEqual(["approval.expired"]);
    const silent = await askToResumeAgain();
    await letExpire(silent);
    await world.owner.query(
      "update postern.approval set state = 'expired', taken_until = now() - interval '1 second' where approval_id = $1",
      [silent],
    );
    await Promise.all(keepers.map((keeper) => keeper.tick()));
    expect(await outcomesOf(silent)).toEqual(["approval.expired"]);
    await other.close();
  });

  it("of a draft stands in the gateway's log", async () => {
    const files = {
      contract: { name: "contract.yaml", text: contractText({ contract: "c-draft" }) },
      policy: { name: "policy.yaml", text: shippedPolicy("cs-standard") },
    };
    await expectStatus(call("POST", "/v1/contracts", "owner-1", files), 200);
    const asked = await expectStatus(call("POST", "/v1/contracts/c-draft/activate", "owner-1"), 202);
    const { approval } = (await asked.json()) as { approval: { id: string } };
    await letExpire(approval.id);
    for (let turn = 0; turn < 2; turn++) await world.gateway.keeper.tick();
    const said = (await entriesOf(world.owner, "gateway")).filter(({ event }) => event === "approval.expired");
    expect(said).toMatchObject([{ facts: { contract: "c-draft", approval: approval.id, action: "activate" } }]);
  });
});

describe("the log of a contract that comes into force", () => {
  it("begins once, however many keepers look while the second owner approves", async () => {
    const other = await openGateway(world);
    const keepers = [world.gateway, other, world.gateway, other].map(({ keeper }) => keeper);
    for (const contract of ["c-race-1", "c-race-2", "c-race-3"]) {
      const files = {
        contract: { name: "contract.yaml", text: contractText({ contract }) },
        policy: { name: "policy.yaml", text: shippedPolicy("cs-standard") },
      };
      await expectStatus(call("POST", "/v1/contracts", "owner-1", files), 200);
      const asked = await expectStatus(call("POST", `/v1/contracts/${contract}/activate`, "owner-1"), 202);
      const { approval } = (await asked.json()) as { approval: { id: string } };
      const approved = decide(approval.id, "approve");
      let isDone = false;
      const looking = keepers.map(async (keeper) => {
        while (!isDone) await keeper.tick();
      });
      await expectStatus(approved, 200);
      isDone = true;
      await Promise.all(looking);
      const begun = (await entriesOf(world.owner, contract)).filter(({ event }) => event === "log.opened");
      expect(begun).toHaveLength(1);
    }
    await other.close();
  });
});

describe("an end that is near, and one that has come", () => {
  it("stands in the log once, however many keepers look at once, and wherever one of them dies", async () => {
    const other = await openGateway(world);
    const keepers = [world.gateway, other, world.gateway, other].map(({ keeper }) => keeper);
    const told = async () => {
      await Promise.all(keepers.map((keeper) => keeper.tick()));
      return (await entriesOf(world.owner, "c-test")).map(({ event }) => event).filter((event) => /^contract\.(winding|ended)/.test(event));
    };
    await endIn(world, 24);
    expect(await told()).toEqual(["contract.winding_down"]);
    // A keeper that died after the entry.
    await world.owner.query("update postern.contract set noticed_for = null, told_until = now() - interval '1 second'");
    expect(await told()).toEqual(["contract.winding_down"]);
    await endIn(world, 48);
    expect(await told()).toEqual(["contract.winding_down", "contract.winding_down"]);
    await endIn(world, -1);
    expect(await told()).toEqual(["contract.winding_down", "contract.winding_down", "contract.ended"]);
    await other.close();
  });

  it("and the log verifies to the end", async () => {
    expect(await verifyLog(world.gateway, trust)).toMatchObject({ ok: true, problems: [] });
  });
});
