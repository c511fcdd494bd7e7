/** Several gateways behind a pooler in transaction mode: whatever connection a statement is sent on, another server session may run the next one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Database } from "../src/storage/index.ts";
import { expectStatus, search } from "./support/agreement.ts";
import { canaryCustomer } from "./support/canaries.ts";
import { createPostgresDatabase, openTestPool, type PostgresDatabase } from "./support/databases.ts";
import type { Gateway } from "./support/gateway.ts";
import { type Pooler, pgbouncerVersion, startPooler, tracksStatements } from "./support/pgbouncer.ts";
import { makeSecrets, neighbour, openGateway, populate, verifyLog } from "./support/purge-world.ts";
import { journeyBeforeThePurge, journeyToTheCertificate } from "./support/whole-journey.ts";

const version = pgbouncerVersion();
const roles = ["postern_edge", "postern_keeper"] as const;
const serverConnections = 2;
const gatewayCount = 3;

const ways = [
  { name: "named statements, which the pooler carries along", suffix: "", can: version !== null && tracksStatements(version) },
  { name: "no named statements (?prepare=false)", suffix: "?prepare=false", can: version !== null },
].filter(({ can }) => can);

describe.skipIf(version === null)(`through PgBouncer ${version?.join(".")} in transaction mode`, () => {
  describe.each(ways)("with $name", ({ suffix }) => {
    const shareDirectory = mkdtempSync(join(tmpdir(), "postern-shares-"));
    let server: PostgresDatabase;
    let owner: Database;
    let pooler: Pooler;
    let gateways: Gateway[];
    let urlOf: (role: string) => string;

    beforeAll(async () => {
      server = await createPostgresDatabase();
      owner = openTestPool(server.ownerUrl, { poolSize: 1 });
      pooler = await startPooler(inject("postgresPort"), roles, serverConnections);
      urlOf = (role) => `${pooler.urlOf(new URL(server.ownerUrl).pathname.slice(1), role)}${suffix}`;
      const place = { edgeUrl: urlOf("postern_edge"), keeperUrl: urlOf("postern_keeper"), secrets: makeSecrets(), shareDirectory };
      gateways = await Promise.all(Array.from({ length: gatewayCount }, () => openGateway(place)));
    });

    afterAll(async () => {
      await Promise.all(gateways.map((gateway) => gateway.close()));
      await owner.close();
      await pooler.stop();
      await server.drop();
      rmSync(shareDirectory, { recursive: true, force: true });
    });

    it("one connection's statements run in several sessions, and what one client leaves in them another meets", async () => {
      const [one, another] = [1, 2].map(() => openTestPool(urlOf("postern_edge"), { poolSize: 1 }));
      if (!one || !another) throw new Error("two were opened");
      await Promise.all([one, another].map((client) => client.query("select pg_sleep(0.1)")));
      const pids = new Set<unknown>();
      for (let i = 0; i < 8; i++) {
        const [row] = await one.query("select pg_backend_pid(), set_config('test.left', 'by one', false)");
        pids.add(row?.[0]);
      }
      expect(pids.size).toBe(serverConnections);
      expect(await another.query("select current_setting('test.left', true)")).toEqual([["by one"]]);
      await Promise.all([one.close(), another.close()]);
    });

    it("the whole journey is the same, three gateways at once, and its log verifies", async () => {
      const [first, ...others] = gateways;
      if (!first) throw new Error("there are three");
      const trust = await populate(first, neighbour, 40);
      const findForty = (gateway: Gateway) =>
        Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            search(gateway, { phone: `138${String(10_000_000 + i)}` }, { contract: neighbour.contract }).then(
              ({ records }) => records.length,
            ),
          ),
        );
      const [, ...found] = await Promise.all([
        journeyBeforeThePurge(first),
        ...gateways.map(findForty),
        ...others.map((gateway) => gateway.keeper.sequence()),
      ]);
      expect(found.slice(0, gatewayCount)).toEqual(gateways.map(() => Array.from({ length: 40 }, () => 1)));
      await Promise.all(others.map((gateway) => search(gateway, { id: canaryCustomer.id })));
      await journeyToTheCertificate(first);
      for (const gateway of gateways) {
        const late = await gateway.call("POST", "/v1/contracts/c-test/records/customer/search", {
          as: "agent-1",
          body: { by: { id: "U2" } },
        });
        expect(late.status).toBe(404);
        await expectStatus(gateway.call("GET", "/readyz"), 200);
        await gateway.keeper.sequence();
      }
      expect(await verifyLog(first, trust, neighbour.contract, "officer-b")).toMatchObject({ ok: true });
      expect(gateways.flatMap((gateway) => gateway.faults)).toEqual([]);
    }, 60_000);

    it("many connections of ours shared those few of the server's", async () => {
      const rows = await owner.query(
        "select usename::text, count(*)::int from pg_stat_activity where datname = current_database() and usename like 'postern%' group by 1 order by 1",
      );
      expect(rows).toEqual(roles.map((role) => [role, serverConnections]));
      expect(pooler.clients()).toBeGreaterThan(2 * roles.length * serverConnections);
    });
  });
});
