/** What a dying, hanging or missing Postgres does to the pool. Negative controls: the bare driver under the same kill ends the process. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Database, DatabaseUnavailable } from "../src/storage/index.ts";
import { openPostgres } from "../src/storage/postgres.ts";
import { backendPids, type Cluster, openTestPool, startCluster } from "./support/databases.ts";
import { openEndless } from "./support/false-servers.ts";

const healMsMax = 5_000;
const opened: Database[] = [];
let cluster: Cluster;

function open(limits: Parameters<typeof openTestPool>[1] = {}): Database {
  const database = openTestPool(cluster.url, limits);
  opened.push(database);
  return database;
}

beforeAll(async () => {
  cluster = await startCluster();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

afterAll(() => cluster.remove());

describe("a backend killed under load of 64", () => {
  it.each(["terminated", "SIGKILL"] as const)("leaves the process alive, fails only what was under way, and heals (%s)", async (how) => {
    const admin = open({ poolSize: 1 });
    const database = open({ poolSize: 10 });
    const load = startLoad(database, 64);
    await load.answersReach(500);
    const [victim = 0] = await backendPids(admin);
    const killedAt = performance.now();
    if (how === "SIGKILL") process.kill(victim, "SIGKILL");
    else await admin.query("select pg_terminate_backend($1)", [victim]);
    await until(async () => (await pidsOrNone(admin)).filter((pid) => pid !== victim).length >= 10, healMsMax);
    expect(performance.now() - killedAt).toBeLessThan(healMsMax);
    await load.answersReach(load.answers() + 500);
    const errors = await load.stop();
    expect(errors.every((error) => error instanceof DatabaseUnavailable)).toBe(true);
    // SIGKILL makes the server restart as a whole; an orderly end costs at most what one connection had under way.
    if (how === "terminated") expect(errors.length).toBeLessThanOrEqual(8);
  });

  it("loses no acknowledged transaction, and none is half done", async () => {
    const admin = open({ poolSize: 1 });
    await admin.script("create table ledger (id int primary key, twin int not null)");
    const database = open({ poolSize: 10 });
    const acknowledged: number[] = [];
    let next = 0;
    let running = true;
    const writers = Array.from({ length: 32 }, async () => {
      while (running) {
        const id = next++;
        try {
          await database.transaction(async (tx) => {
            await tx.query("insert into ledger values ($1, 0)", [id]);
            await tx.query("update ledger set twin = $1 where id = $1", [id]);
          });
          acknowledged.push(id);
        } catch (error) {
          if (!(error instanceof DatabaseUnavailable)) throw error;
        }
      }
    });
    for (let round = 0; round < 5; round++) {
      await until(() => acknowledged.length > 200 * (round + 1));
      for (const pid of (await backendPids(admin)).slice(0, 4)) await admin.query("select pg_terminate_backend($1)", [pid]);
    }
    running = false;
    await Promise.all(writers);
    const rows = await admin.query("select id from ledger where id = twin");
    const kept = new Set(rows.map(([id]) => id));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    expect(await admin.query("select from ledger where id <> twin")).toEqual([]);
  });

  it("ends the process where the driver is used bare: the control", async () => {
    const script = `
      import postgres from "postgres";
      const sql = postgres(${JSON.stringify(cluster.url)}, { max: 10, fetch_types: false, onnotice() {} });
      const admin = postgres(${JSON.stringify(cluster.url)}, { max: 1, fetch_types: false, connection: { application_name: "control-admin" } });
      for (let i = 0; i < 64; i++) (async () => { for (;;) await sql.begin(async (tx) => { await tx\`select 1\`; await tx\`select 2\`; }).catch(() => {}); })();
      setInterval(() => admin\`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'postgres.js' limit 4\`.catch(() => {}), 100);
      setTimeout(() => process.exit(0), 8000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
    });
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(1);
    expect(said).toContain("reading 'write'");
  });
});

describe("a backend that hangs", () => {
  it("fails its statement by the deadline as uncertain, and the next one is answered by another", async () => {
    const deadlineMs = 500;
    const admin = open({ poolSize: 1 });
    const database = open({ poolSize: 1, deadlineMs });
    const [row] = await database.query("select pg_backend_pid()");
    const pid = Number(row?.[0]);
    process.kill(pid, "SIGSTOP");
    try {
      const start = performance.now();
      const error = await database.query("select 1").catch((thrown: unknown) => thrown);
      expect(performance.now() - start).toBeLessThan(deadlineMs + 3_000);
      expect(error).toBeInstanceOf(DatabaseUnavailable);
      expect(error).toMatchObject({ uncertain: true });
      expect(await database.query("select 2")).toEqual([[2]]);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await until(async () => !(await backendPids(admin)).includes(pid));
  });

  it("fails a slow statement inside a transaction by the deadline, and nothing of it stays", async () => {
    const database = open({ poolSize: 1, deadlineMs: 800 });
    await database.script("create table slow (id int)");
    const attempt = database.transaction(async (tx) => {
      await tx.query("insert into slow values (1)");
      await tx.query("select pg_sleep(30)");
    });
    await expect(attempt).rejects.toMatchObject({ uncertain: true });
    expect(await database.query("select from slow")).toEqual([]);
  });

  it("lets a statement wait for its turn no longer than the deadline, and says that nothing ran", async () => {
    const database = open({ poolSize: 1, deadlineMs: 800 });
    const { held, free } = await holdConnection(database);
    const error = await database.query("select 1").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "DatabaseUnavailable", uncertain: false });
    free();
    await held;
  });
});

describe("the line in front of the pool", () => {
  it("is bounded: what finds it full is refused at once, and nothing of it ran", async () => {
    const database = open({ poolSize: 1, queueMax: 3 });
    const { held, free } = await holdConnection(database);
    const waiting = [1, 2, 3].map((n) => database.query("select $1::int", [n]));
    const error = await database.query("select 4").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "DatabaseUnavailable", uncertain: false });
    free();
    await held;
    expect(await Promise.all(waiting)).toEqual([[[1]], [[2]], [[3]]]);
  });

  it("lets a transaction through between statements that never pause", async () => {
    const database = open({ poolSize: 2 });
    const load = startLoad(database, 64);
    await load.answersReach(200);
    for (let round = 0; round < 20; round++) await database.transaction((tx) => tx.query("select 1"));
    expect(await load.stop()).toEqual([]);
  });

  it("keeps a statement out of a transaction that runs on the only connection", async () => {
    const database = open({ poolSize: 1 });
    const order: string[] = [];
    await database.query("select 1");
    const transaction = database.transaction(async (tx) => {
      await tx.query("select 1");
      await new Promise((resolve) => setTimeout(resolve, 100));
      await tx.query("select 1");
      order.push("transaction");
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([transaction, database.query("select 1").then(() => order.push("statement"))]);
    expect(order).toEqual(["transaction", "statement"]);
  });
});

describe("a server that sends without end", () => {
  it("is let go once it sent more than was allowed for, and fills no memory", async () => {
    const endless = await openEndless();
    const limits = { poolSize: 1, deadlineMs: 5_000, queueMax: 1, answerBytesMax: 1_000_000 };
    const database = openPostgres({ url: `postgres://nobody@127.0.0.1:${endless.port}/none`, ...limits });
    const before = process.memoryUsage().rss;
    await expect(database.query("select now()")).rejects.toThrow("the database cannot be reached");
    await expect.poll(endless.open).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 2 ** 20);
    await database.close();
    await endless.close();
  });
});

describe("a server that is not there", () => {
  it("is told apart: nothing ran, and quickly", async () => {
    const database = openTestPool("postgres://nobody@127.0.0.1:1/none");
    const start = performance.now();
    const errors = await Promise.all(Array.from({ length: 64 }, () => database.query("select 1").catch((thrown: unknown) => thrown)));
    expect(performance.now() - start).toBeLessThan(4_000);
    for (const error of errors) expect(error).toMatchObject({ name: "DatabaseUnavailable", uncertain: false });
    await database.close();
  });

  it("is found again within five seconds after it is back, without help", async () => {
    const own = await startCluster();
    const database = openTestPool(own.url, { poolSize: 10 });
    const load = startLoad(database, 64);
    try {
      await load.answersReach(200);
      await own.kill();
      await until(() => load.failures() > 0);
      await own.start();
      await answers(database, healMsMax);
      await load.answersReach(load.answers() + 200);
      const errors = await load.stop();
      expect(errors.every((error) => error instanceof DatabaseUnavailable)).toBe(true);
    } finally {
      await load.stop();
      await database.close();
      await own.remove();
    }
  });

  it("refuses a role it does not know without a word about passwords", async () => {
    const database = openTestPool(cluster.urlOf("postgres", "stranger"));
    const error = await database.query("select 1").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "DatabaseUnavailable", message: "the database server does not let this role in (SQLSTATE 28000)" });
    await database.close();
  });
});

/** `workers` loops of small statements that never give up; answers what they were refused. */
function startLoad(database: Database, workers: number) {
  const errors: unknown[] = [];
  let answered = 0;
  let running = true;
  const loops = Array.from({ length: workers }, async (_, worker) => {
    while (running) {
      try {
        const rows = await database.query("select $1::int, $2::bytea", [worker, new Uint8Array(100)]);
        if (rows[0]?.[0] !== worker) throw new Error("another statement's answer");
        answered++;
      } catch (error) {
        errors.push(error);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  });
  return {
    answers: () => answered,
    failures: () => errors.length,
    answersReach: (count: number) => until(() => answered >= count),
    async stop() {
      running = false;
      await Promise.all(loops);
      return errors;
    },
  };
}

/** A transaction that is open once this resolves, until it is freed. */
async function holdConnection(database: Database): Promise<{ readonly held: Promise<void>; free(): void }> {
  const { promise: gate, resolve: free } = Promise.withResolvers<void>();
  let inside = false;
  const held = database.transaction(() => {
    inside = true;
    return gate;
  });
  await until(() => inside);
  return { held, free };
}

function pidsOrNone(admin: Database): Promise<number[]> {
  return backendPids(admin).catch(() => []);
}

async function answers(database: Database, withinMs: number): Promise<void> {
  await until(
    () =>
      database.query("select 1").then(
        () => true,
        () => false,
      ),
    withinMs,
  );
}

async function until(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
