/** An officer at the command line: who saw what, as it happens, and as a file that can be held against its manifest. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractText } from "./support/agreement.ts";
import { createCommandLine, operatorFile, type Ran } from "./support/command-line.ts";
import { root } from "./support/repository.ts";
import { pause, until } from "./support/until.ts";

const { home, origin, postern, serve, put, read, remove } = await createCommandLine({ migrated: true });
const slow = 120_000;
const as = "--contract c-own --as officer";
let gateway: ChildProcess;

beforeAll(async () => {
  put(
    "postern.yaml",
    `${operatorFile}sinks: [{ id: copy, kind: file, path: copy.ndjson }]\noperators: [{ issuer: demo, subject: operator }]\n`,
  );
  gateway = await serve();
  put("contract.yaml", contractText({ contract: "c-own" }));
  put("agents.csv", "issuer,subject,role,name\ndemo,agent-1,first_line,林小满\n");
  put("one.ndjson", '{"id":"#W1","name":"林小满","phone":"13812345678"}\n');
  await postern("contract apply contract.yaml --as owner-1");
  const asked = parsed(await postern("contract activate c-own --json --as owner-1")) as { approval: { id: string } };
  await postern(`approvals approve ${asked.approval.id} --as owner-2`);
  put("trust.json", (await postern("contract trust c-own --as owner-1")).stdout);
  await postern("agents import agents.csv --contract c-own --as owner-1");
  await postern("records import one.ndjson --contract c-own --type customer --as owner-1");
  await searchAsAgent();
}, slow);
afterAll(() => {
  gateway.kill("SIGKILL");
  remove();
});

async function searchAsAgent(): Promise<void> {
  const token = (await postern("token agent-1")).stdout.trim();
  await fetch(`${origin}/v1/contracts/c-own/records/customer/search`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"by":{"phone":"13812345678"}}',
  });
  // The gateway numbers once a second.
  await pause(1_500);
}

function parsed({ stdout }: Ran): unknown {
  return JSON.parse(stdout);
}

describe("postern audit list", () => {
  it(
    "finds by person, field and time, and says when nothing matches",
    async () => {
      const found = await postern(`audit list --subject customer/#W1 --field phone --from 2020-01-01T00:00:00Z ${as}`);
      expect(found).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/agent demo\/agent-1 {2}record\.searched {2}allow masked .*phone:mask/),
      });
      expect(found.stdout.trim().split("\n")).toHaveLength(1);
      const json = parsed(await postern(`audit list --limit 3 --json ${as}`)) as { entries: unknown[]; more: boolean };
      expect([json.entries.length, json.more]).toEqual([3, true]);
      expect(await postern(`audit list --subject customer/#W2 ${as}`)).toMatchObject({ code: 0, stdout: "", stderr: "nothing matches\n" });
      expect(await postern(`audit list --from infinity ${as}`)).toMatchObject({ code: 1, stderr: expect.stringContaining("query:from") });
      expect((await postern(`audit list --limit 0 ${as}`)).code).toBe(2);
      expect((await postern(`audit list --subject W1 ${as}`)).code).toBe(2);
    },
    slow,
  );
});

describe("postern audit verify --root", () => {
  it(
    "holds a log to the gateway log that was exported beside it, and says what it needs",
    async () => {
      await postern(`audit export --format root -o gateway.tar ${as}`);
      await postern(`audit export -o log.tar ${as}`);
      const verified = await postern("audit verify log.tar --root gateway.tar --trust trust.json");
      expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(/^OK, \d+ entries.*\nroot log: OK, \d+ entries/) });
      expect(verified.stderr).toMatch(/\d+ heads of this log are named there.*; \d+ entries are withheld/);
      expect((await postern("audit verify log.tar --root gateway.tar")).code).toBe(2);
    },
    slow,
  );
});

describe("postern audit new-epoch", () => {
  it(
    "is refused for a log that is not halted, and to whoever runs nothing",
    async () => {
      expect(await postern("audit new-epoch c-own --as operator")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("not_halted"),
      });
      expect((await postern("audit new-epoch c-own --as officer")).code).toBe(1);
    },
    slow,
  );
});

describe("postern audit tail", () => {
  it(
    "prints what comes, once",
    async () => {
      const words = `audit tail --event record.searched --json ${as}`.split(" ");
      const tail = spawn(process.execPath, [join(root, "src/cli.ts"), ...words], {
        cwd: home,
        env: {
          PATH: process.env.PATH,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          POSTERN_ORIGIN: origin,
          POSTERN_DATA: join(home, "data"),
        },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let heard = "";
      tail.stdout.on("data", (chunk) => {
        heard += chunk;
      });
      await pause(3_000);
      await searchAsAgent();
      await searchAsAgent();
      await until("both searches", () => heard.split("\n").length > 2);
      await pause(1_500);
      tail.kill("SIGKILL");
      const events = heard
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string; index: number });
      expect(events.map(({ event }) => event)).toEqual(["record.searched", "record.searched"]);
      expect(new Set(events.map(({ index }) => index)).size).toBe(2);
    },
    slow,
  );
});

describe("postern audit export", () => {
  it(
    "saves a copy with its manifest, goes on where one was cut, and finds one that was changed",
    async () => {
      const command = `audit export --format csv --actor demo/agent-1 -o agent.csv ${as}`;
      expect(await postern(command)).toMatchObject({
        code: 0,
        stdout: "",
        stderr: expect.stringMatching(/^\d+ entries, \d+ bytes; the signed manifest is agent\.csv\.manifest\.jws\n/),
      });
      const whole = read("agent.csv");
      expect(whole.toString().split("\r\n").length).toBeGreaterThan(3);
      expect(await postern("audit manifest agent.csv --trust trust.json")).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^OK, \d+ entries of localhost\/postern\/c-own at tree size \d+, csv\n$/),
      });

      put("agent.csv", whole.subarray(0, whole.length - 5));
      expect(await postern("audit manifest agent.csv --trust trust.json")).toMatchObject({
        code: 1,
        stdout: expect.stringContaining("the file ends after"),
      });
      await searchAsAgent();
      expect((await postern(`${command} --resume`)).code).toBe(0);
      expect(read("agent.csv")).toEqual(whole);
      expect((await postern(`${command} --resume`)).stderr).toContain("whole already");
      expect((await postern("audit manifest agent.csv --trust trust.json")).code).toBe(0);

      put("agent.csv", whole.toString().replace("agent-1", "agent-2"));
      expect(await postern("audit manifest agent.csv --trust trust.json")).toMatchObject({
        code: 1,
        stdout: expect.stringContaining("not what was signed"),
      });
      expect((await postern(`${command} --resume`)).stderr).toContain("is not the copy that was begun");
      put("agent.csv", `${whole}garbage`);
      expect(await postern("audit manifest agent.csv --trust trust.json")).toMatchObject({
        code: 1,
        stdout: expect.stringContaining("7 bytes more"),
      });
      const jws = read("agent.csv.manifest.jws").toString();
      put("agent.csv.manifest.jws", `${jws.slice(0, -9)}AAAAAAAAA`);
      expect(await postern("audit manifest agent.csv --trust trust.json")).toMatchObject({
        code: 1,
        stdout: expect.stringContaining("not signed by the trusted"),
      });
    },
    slow,
  );

  it(
    "streams a copy to standard output, and lets nobody take part of a bundle for the whole",
    async () => {
      const { stdout, code } = await postern(`audit export --format ocsf --profile record_integrity ${as}`);
      expect(code).toBe(0);
      for (const line of stdout.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("attestation_list");
      expect(await postern(`audit export --effect deny -o part.tar ${as}`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("query:effect"),
      });
    },
    slow,
  );
});

describe("a sink in the operator's file", () => {
  it(
    "is fed while the gateway serves, every log from its first entry on",
    async () => {
      const events = read("copy.ndjson")
        .toString()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      const own = events.filter(({ metadata }) => metadata.log_name === "localhost/postern/c-own").map(({ metadata }) => metadata.sequence);
      expect(own.length).toBeGreaterThan(10);
      expect(own).toEqual(own.map((_, i) => i));
      const ready = (await (await fetch(`${origin}/readyz`)).json()) as { sinks: Record<string, string> };
      expect(ready.sinks.copy).toMatch(/^ok, \d+ waiting, 0 dead letters$/);
      expect((await postern("doctor")).stdout).toContain("ready at");
    },
    slow,
  );
});
