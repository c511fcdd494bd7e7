/** deploy/postern.service: read as systemd would, judged by systemd's own tools where the machine has them. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEnvironment } from "../src/config.ts";
import { root } from "./support/repository.ts";
import { makeSecrets } from "./support/secrets.ts";

/** Of 100; systemd calls up to 20 safe. */
const exposureMax = 15;
const hasSystemd = existsSync("/usr/bin/systemd-analyze");

describe("postern.service", () => {
  const unit = readFileSync(join(root, "deploy/postern.service"), "utf8");
  const lines = (name: string) => [...unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);

  let tree: string;
  let secretFiles: readonly string[];
  beforeAll(() => {
    ({ tree, secretFiles } = makeSecrets());
  });
  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it("sets the gateway up for production, with the secrets that were made as credentials", () => {
    const environment = Object.fromEntries(
      lines("Environment").flatMap((line) => line.split(" ").map((pair) => pair.split("=", 2) as [string, string])),
    );
    const { DATABASE_URL_EDGE_FILE, DATABASE_URL_KEEPER_FILE, ...settings } = environment;
    const read = readEnvironment({
      ...settings,
      DATABASE_URL_EDGE: "postgres://edge@db/postern",
      DATABASE_URL_KEEPER: "postgres://keeper@db/postern",
    });
    expect(read.NODE_ENV).toBe("production");
    const loaded = lines("LoadCredential").map((line) => line.split(":")[0] ?? "");
    const used = Object.values(environment).flatMap((value) => /%d\/(.+)$/.exec(value)?.[1] ?? []);
    expect([...used, "edge.key", "keeper.key"].sort()).toEqual([...loaded].sort());
    expect(loaded.filter((name) => !secretFiles.includes(name))).toEqual([]);
    expect([DATABASE_URL_EDGE_FILE, DATABASE_URL_KEEPER_FILE]).toEqual(["%d/edge.url", "%d/keeper.url"]);
  });

  it("runs as a user of its own that can write nowhere but in its state, gains nothing, and leaves no core", () => {
    for (const line of ["DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "LimitCORE=0"])
      expect(unit.split("\n")).toContain(line);
  });

  it.skipIf(!hasSystemd)("is a unit that systemd takes, in a sandbox that systemd calls tight", () => {
    const path = join(tree, "postern.service");
    writeFileSync(path, unit.replaceAll("/opt/postern/", root));
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const judged = spawnSync("systemd-analyze", ["security", "--offline=yes", `--threshold=${exposureMax}`, path], { encoding: "utf8" });
    expect(judged, judged.stdout).toMatchObject({ status: 0 });
  });
});
