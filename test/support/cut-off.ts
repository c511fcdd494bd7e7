/** An agent who reads at several doors without a pause is cut off, in each of the ways there are, and let in again. */
import { expect } from "vitest";
import { expectStatus, search } from "./agreement.ts";
import type { Door } from "./gateway.ts";
import { directoryOf, issueToken, patch, person } from "./scim.ts";
import { until } from "./until.ts";

const readersADoor = 4;
const afterMs = 300;
const agent = { issuer: "demo", subject: "agent-1" };
/** Says the word; answers what takes it back. */
type Way = (at: Door) => Promise<() => Promise<unknown>>;

const everywhere =
  (body: object): Way =>
  async (at) => {
    const revoked = await expectStatus(at.call("POST", "/v1/revocations", { as: "operator", body: { ...body, reason: "incident" } }), 201);
    const { revocation } = (await revoked.json()) as { revocation: string };
    return () => expectStatus(at.call("POST", `/v1/revocations/${revocation}/lift`, { as: "operator" }), 200);
  };

const atTheContract: Way = async (at) => {
  const say = (act: string, body: object) =>
    expectStatus(at.call("POST", `/v1/contracts/c-test/agents/${act}`, { as: "owner-1", body }), 200);
  await say("revoke", { ...agent, reason: "incident" });
  return () => say("restore", agent);
};

const byTheVendor: Way = async (at) => {
  const ask = directoryOf(at, (await issueToken(at)).token);
  const { id } = (await ask("POST", "/Users", person(agent.subject, { active: false }))).body;
  return async () => expect((await ask("PATCH", `/Users/${id}`, patch({ op: "replace", path: "active", value: "True" }))).status).toBe(200);
};

/** After `byTheVendor`, who brought the person. */
const byItsGroup: Way = async (at) => {
  const ask = directoryOf(at, (await issueToken(at)).token);
  const { Resources: found } = (await ask("GET", `/Users?filter=${encodeURIComponent(`externalId eq "${agent.subject}"`)}`)).body;
  const change = async (op: "add" | "remove") => {
    const value = found.map(({ id }: { id: string }) => ({ value: id }));
    expect((await ask("PATCH", "/Groups/c-test~first_line", patch({ op, path: "members", value }))).status).toBe(200);
  };
  await change("add");
  await change("remove");
  return () => change("add");
};

const ways: readonly Way[] = [
  everywhere({ kind: "person", ...agent }),
  everywhere({ kind: "vendor", vendor: "v-yunfu" }),
  atTheContract,
  byTheVendor,
  byItsGroup,
];

/** Answers how long after the word was out the last answer came that it should have stopped, milliseconds. `at`: where the word is said. */
export async function cutOff(at: Door, doors: readonly Door[]): Promise<number> {
  const path = `/v1/contracts/c-test/records/customer/${(await search(at, { id: "U1" })).records[0]?.locator}`;
  const late: number[] = [];
  for (const door of doors) await expectStatus(read(door, path), 200);
  for (const sayTheWord of ways) {
    let end = Number.POSITIVE_INFINITY;
    const readers = doors.flatMap((door) => Array.from({ length: readersADoor }, () => ({ door, lastAt: 0 })));
    const reading = readers.map(async (reader) => {
      while (performance.now() < end) if ((await read(reader.door, path)).status === 200) reader.lastAt = performance.now();
    });
    await until("an answer to every reader", () => readers.every(({ lastAt }) => lastAt > 0));
    const takeBack = await sayTheWord(at);
    const answered = performance.now();
    end = answered + afterMs;
    await Promise.all(reading);
    late.push(...readers.map(({ lastAt }) => lastAt - answered));
    for (const door of doors) expect((await read(door, path)).status).toBeGreaterThan(400);
    await takeBack();
    for (const door of doors) await expectStatus(read(door, path), 200);
  }
  const most = Math.max(...late);
  console.info(`cut off: the last answer came ${Math.round(most)} ms after the word was out`);
  return most;
}

function read(door: Door, path: string): Promise<Response> {
  return door.call("GET", path, { as: agent.subject });
}
