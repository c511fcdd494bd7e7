/** A process that feeds a sink is killed, again and again: the sink is left no entry short. */
import { fork } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openLog } from "../src/audit/index.ts";
import { createPostgresDatabase, openTestPool } from "./support/databases.ts";
import { lengthenLog } from "./support/long-stored-log.ts";
import { bulkAnswer, bulkDocuments, createReceiver } from "./support/receiver.ts";
import { root } from "./support/repository.ts";

describe("a process that feeds a sink", () => {
  it("leaves nothing out, whenever it dies", { timeout: 60_000 }, async () => {
    const server = await createPostgresDatabase();
    const owner = openTestPool(server.ownerUrl, { deadlineMs: 30_000 });
    await openLog(owner, "c-test", "test/postern/c-test");
    const size = await lengthenLog(owner, 60);
    // What the receiver has not answered it has not kept.
    const kept: number[] = [];
    let dead = false;
    const elastic = await createReceiver(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (!dead) kept.push(...bulkDocuments(request).map(({ document }) => document.event.sequence));
      return bulkAnswer(request, () => 201);
    });
    let kills = 0;
    for (;;) {
      const child = fork(join(root, "test/support/pump-process.ts"), [server.keeperUrl, elastic.url.href]);
      const over = new Promise<number | null>((resolve) => child.once("exit", resolve));
      const before = elastic.received.length;
      if (kills < 5) {
        await expect.poll(() => elastic.received.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before + 2);
        dead = child.kill("SIGKILL");
      }
      const code = await over;
      await new Promise((resolve) => setTimeout(resolve, 50));
      dead = false;
      if (code === 0) break;
      kills++;
      await owner.query("update postern.sink_cursor set lease_until = null");
    }
    expect(kills).toBe(5);
    expect([...new Set(kept)].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
    expect(elastic.received.flatMap(bulkDocuments).length).toBeLessThanOrEqual(size + kills * 500);
    await Promise.all([owner.close(), elastic.close()]);
    await server.drop();
  });
});
