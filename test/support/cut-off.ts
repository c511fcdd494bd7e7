/** An agent who reads at several doors without a pause is cut off, in each of the ways there are, and let in again. */
import { expect } from "vitest";
import { expectStatus, search } from "./agreement.ts";
import type { Door } from "./gateway.ts";

const readersADoor = 4;
const beforeMs = 500;
const afterMs = 300;
const agent = { issuer: "demo", subject: "agent-1" };
const ways: readonly [route: string, body: object, as: string][] = [
  ["/v1/revocations", { kind: "person", ...agent }, "operator"],
  ["/v1/revocations", { kind: "vendor", vendor: "v-yunfu" }, "operator"],
  ["/v1/contracts/c-test/agents/revoke", agent, "owner-1"],
];

/** Answers how long after the word was out the last answer came that it should have stopped, milliseconds. `at`: where the word is said. */
export async function cutOff(at: Door, doors: readonly Door[]): Promise<number> {
  const path = `/v1/contracts/c-test/records/customer/${(await search(at, { id: "U1" })).records[0]?.locator}`;
  const late: number[] = [];
  for (const [route, body, as] of ways) {
    for (const door of doors) await expectStatus(read(door, path), 200);
    let until = Number.POSITIVE_INFINITY;
    const readers = doors.flatMap((door) =>
      Array.from({ length: readersADoor }, () => lastGiven(door, path, () => performance.now() < until)),
    );
    await new Promise((resolve) => setTimeout(resolve, beforeMs));
    const revoked = await at.call("POST", route, { as, body: { ...body, reason: "incident" } });
    expect(revoked.ok).toBe(true);
    const answered = performance.now();
    until = answered + afterMs;
    for (const last of await Promise.all(readers)) {
      expect(last).toBeGreaterThan(0);
      late.push(last - answered);
    }
    for (const door of doors) expect((await read(door, path)).status).toBeGreaterThan(400);
    const { revocation } = (await revoked.json()) as { revocation?: string };
    if (revocation === undefined) await expectStatus(at.call("POST", route.replace(/revoke$/, "restore"), { as, body }), 200);
    else await expectStatus(at.call("POST", `/v1/revocations/${revocation}/lift`, { as }), 200);
  }
  const most = Math.max(...late);
  console.info(`cut off: the last answer came ${Math.round(most)} ms after the word was out`);
  return most;
}

async function lastGiven(door: Door, path: string, goesOn: () => boolean): Promise<number> {
  let last = 0;
  while (goesOn()) if ((await read(door, path)).status === 200) last = performance.now();
  return last;
}

function read(door: Door, path: string): Promise<Response> {
  return door.call("GET", path, { as: agent.subject });
}
