/**
 * What is done to a gateway, its Postgres and the wire between them, and what is to come of it: one row a fault. What is measured: `fire.ts`. Further rows:
 * `fire-disks.ts`, `fire-services.ts`, `fire-standby.ts`.
 */
import { connect, type Socket } from "node:net";
import { migrate } from "../../src/storage/index.ts";
import { readMigrations } from "../../src/storage/node-migrations.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import type { Fault } from "./fire.ts";
import { customer, type House } from "./house.ts";
import { pull } from "./levers.ts";
import { descriptorsOf, limit } from "./processes.ts";
import { pause, until } from "./until.ts";

/** Few, so that they are soon used up. */
export const connectionsMax = 40;
const descriptorsLeft = 40;
const hourMs = 3_600_000;
const yearMs = 365 * 24 * hourMs;

const ofTheWire: readonly Fault[] = [
  {
    name: "the wire to Postgres: refused",
    inflict: async ({ wire }) => {
      await wire.refuse();
      return wire.pass;
    },
    late: "503",
    meanwhile: ["200"],
  },
  {
    name: "the wire to Postgres: reset, as long as it lasts",
    inflict: ({ wire }) => {
      wire.reset();
      return wire.pass;
    },
    late: "503",
    meanwhile: ["200"],
  },
  {
    name: "the wire to Postgres: a black hole",
    inflict: ({ wire }) => {
      wire.blackHole();
      return wire.pass;
    },
    late: "503",
    meanwhile: ["200"],
    lastsMs: 8_000,
    importHealsWithinMs: 65_000,
  },
  {
    name: "the wire to Postgres: 200 ms each way, and up to 100 ms more",
    inflict: ({ wire }) => {
      wire.delay(200, 100);
      return wire.pass;
    },
    late: "200",
    meanwhile: [],
    isExact: true,
  },
];

const ofTheServer: readonly Fault[] = [
  {
    name: "somebody else has all connections that Postgres grants, and ours are ended",
    inflict: takeAllConnections,
    late: "503",
    meanwhile: ["200"],
  },
  {
    name: "somebody locks the log's tables in another order: deadlocks",
    inflict: ({ owner }) =>
      everySecond(() =>
        owner.transaction(async (tx) => {
          // So that it is ours that gives way.
          await tx.query("set local deadlock_timeout = '20s'");
          await tx.query("lock table audit.pending in exclusive mode");
          await tx.query("select pg_sleep(0.2)");
          await tx.query("lock table audit.flush in exclusive mode");
        }),
      ),
    late: null,
    meanwhile: ["503", "200"],
    lastsMs: 6_000,
    isExact: true,
  },
  {
    name: "every transaction is serializable, and some fail for it",
    async inflict(house) {
      const isolate = (how: string) => house.owner.script(ourRoles.map((role) => `alter role ${role} ${how};`).join(" "));
      await isolate("set default_transaction_isolation = serializable");
      await endOurs(house);
      return async () => {
        await isolate("reset default_transaction_isolation");
        await endOurs(house);
      };
    },
    late: null,
    meanwhile: ["200", "503"],
  },
  {
    name: "every write fails for another that came first (40001)",
    async inflict({ owner }) {
      await owner.script(`create function public.give_way() returns trigger language plpgsql as $$ begin raise exception using errcode = '40001'; end $$;
        create trigger give_way before insert on audit.flush execute function public.give_way()`);
      return () => owner.script("drop trigger give_way on audit.flush; drop function public.give_way()");
    },
    late: "503",
    meanwhile: ["200"],
    isExact: true,
  },
  {
    name: "Postgres takes no writes: default_transaction_read_only",
    async inflict({ owner }) {
      const set = async (how: "on" | "off") => {
        await owner.query(`alter system set default_transaction_read_only = ${how}`);
        await owner.query("select pg_reload_conf()");
      };
      await set("on");
      return async () => {
        await owner.script("set default_transaction_read_only = off; ");
        await set("off");
      };
    },
    late: "503",
    meanwhile: ["200"],
    isExact: true,
  },
  {
    name: "a later build migrates while this one serves",
    async inflict(house) {
      const { owner } = house;
      const text = "create table postern.later (contract_id text primary key)";
      await migrate(owner, [...readMigrations(), { number: 999, name: "0999-later.sql", text }]);
      return () => owner.script("drop table postern.later; delete from public.postern_migration where number = 999");
    },
    late: "200",
    meanwhile: [],
    isExact: true,
  },
];

const ofTheProcess: readonly Fault[] = [
  {
    name: "somebody has every connection that the gateway's descriptors allow, and those to Postgres end",
    async inflict(house) {
      const { gateway } = house;
      const lift = limit(gateway.pid(), "nofile", Math.max(...descriptorsOf(gateway.pid())) + descriptorsLeft);
      const leave = crowd(gateway.port, 2 * descriptorsLeft);
      await pause(500);
      await endOurs(house);
      return () => {
        leave();
        lift();
      };
    },
    late: null,
    meanwhile: ["200", "503", "closed", "cut"],
  },
  {
    name: "the gateway may write no file (RLIMIT_FSIZE 0)",
    inflict: ({ gateway }) => limit(gateway.pid(), "fsize", 0),
    late: "200",
    meanwhile: [],
    isExact: true,
  },
  ...[
    { name: "an hour ahead", ms: hourMs, alone: "401", both: "503" },
    // Entries keep the time of the last one that was written, for a minute; then that is too old.
    { name: "an hour behind", ms: -hourMs, alone: "200", both: "200" },
    { name: "an hour behind, for over a minute", ms: -hourMs, alone: "503", both: "503", lastsMs: 65_000 },
    { name: "ten years ahead", ms: 10 * yearMs, alone: "401", both: "503" },
  ].flatMap(({ name, ms, alone, both, ...lasting }): Fault[] => [
    {
      name: `the gateway's clock is ${name}`,
      inflict: (house) => {
        pull(house, { clockMs: ms });
        return () => pull(house, { clockMs: 0 });
      },
      late: alone,
      meanwhile: ["200", "503"],
      ...lasting,
    },
    {
      name: `the gateway's clock and the issuer's are ${name}`,
      inflict: (house) => {
        house.gateway.shiftTokens(ms);
        pull(house, { clockMs: ms });
        return () => {
          house.gateway.shiftTokens(0);
          pull(house, { clockMs: 0 });
        };
      },
      late: both,
      meanwhile: ["200"],
      ...lasting,
    },
  ]),
  {
    name: "a promise is rejected that nobody waits for",
    inflict: (house) => {
      pull(house, { reject: customer.name });
      return () => undefined;
    },
    late: "200",
    meanwhile: [],
    isExact: true,
  },
  {
    name: "something is thrown that nobody catches",
    async inflict(house) {
      pull(house, { throw: customer.name });
      await until("its end", () => !house.gateway.runs());
      return () => house.gateway.start();
    },
    late: "closed",
    meanwhile: ["200"],
    process: "another",
    isExact: true,
  },
  {
    name: "SIGTERM",
    async inflict({ gateway }) {
      await gateway.terminate();
      return () => gateway.start();
    },
    late: "closed",
    meanwhile: ["200"],
    process: "another",
    isExact: true,
  },
];

/** Each in a house that has all its levers: `connectionsMax`, `levers-process.ts`. */
export const faults: readonly Fault[] = [...ofTheWire, ...ofTheServer, ...ofTheProcess];

const ourRoles = ["postern_edge", "postern_keeper"];

/** Until they are no more. */
async function endOurs({ owner }: Pick<House, "owner">): Promise<void> {
  await owner.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename like 'postern_%'");
}

/** As a role that has no place reserved: every place there is, and each of ours as it becomes free. */
async function takeAllConnections({ owner, cluster }: House): Promise<() => Promise<void>> {
  await owner.script("create role greedy login");
  let letGo = () => {};
  let wanted = true;
  const kept = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const places = Array.from({ length: connectionsMax }, async () => {
    while (wanted) {
      const place = openPostgres({ url: cluster.urlOf("postgres", "greedy"), poolSize: 1, queueMax: 1, deadlineMs: 60_000 });
      await place.transaction(() => kept).catch(() => pause(20));
      await place.close();
    }
  });
  const ours = async () =>
    Number((await owner.query("select count(*)::int, now() from pg_stat_activity where usename like 'postern_%'"))[0]?.[0]);
  while ((await ours()) > 0) await endOurs({ owner });
  return async () => {
    wanted = false;
    letGo();
    await Promise.all(places);
    await owner.script("drop role greedy");
  };
}

/** So many who connect and say nothing, and come again as soon as they are turned away; until the end. */
function crowd(port: number, size: number): () => void {
  const here = new Set<Socket>();
  let stays = true;
  const come = () => {
    if (!stays) return;
    const stranger = connect(port, "127.0.0.1").on("error", () => undefined);
    stranger.once("close", () => {
      here.delete(stranger);
      setTimeout(come, 5);
    });
    here.add(stranger);
  };
  for (let i = 0; i < size; i++) come();
  return () => {
    stays = false;
    for (const stranger of here) stranger.destroy();
  };
}

/** From now until its end; what it does may fail. */
function everySecond(work: () => Promise<unknown>): () => Promise<void> {
  let goesOn = true;
  const turns = (async () => {
    while (goesOn) await Promise.all([work().catch(() => undefined), pause(1_000)]);
  })();
  return async () => {
    goesOn = false;
    await turns;
  };
}
