/** The command line, as a person meets it: a real gateway process, real commands, nothing but their output and exit codes. */
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractText } from "./support/agreement.ts";
import { createCommandLine, operatorFile, type Ran } from "./support/command-line.ts";
import { root } from "./support/repository.ts";

const { home, origin, postern, serve, put, read, remove } = await createCommandLine();
const slow = 120_000;
let gateway: ChildProcess;

beforeAll(async () => {
  put("postern.yaml", operatorFile);
  gateway = await serve();
}, slow);

afterAll(() => {
  gateway.kill("SIGKILL");
  remove();
});

describe("an owner with a contract file and two lines of NDJSON", () => {
  it(
    "goes from nothing to a masked answer, a verified log, and a purge with a certificate",
    async () => {
      put("contract.yaml", contractText({ contract: "c-own" }));
      put("agents.csv", "issuer,subject,role,name\ndemo,agent-1,first_line,林小满\n");
      put("two.ndjson", '{"id":"#W1","name":"林小满","phone":"13812345678","loyalty":3}\nnot json\n{"id":"#W2","name":"欧阳明"}\n');

      const applied = await postern("contract apply contract.yaml --as owner-1");
      expect(applied).toMatchObject({ code: 0, stderr: "next: npx postern contract activate c-own --as owner-1\n" });
      const asked = parsed(await postern("contract activate c-own --json --as owner-1")) as { approval: { id: string } };
      const own = await postern(`approvals approve ${asked.approval.id} --as owner-1`);
      expect(own.code).toBe(1);
      expect(own.stderr).toMatch(/^postern: Nobody approves their own request \(own_request\)\n {2}request [0-9a-f-]{36}\n$/);
      expect((await postern("approvals list --as owner-2")).stdout).toContain(`${asked.approval.id}  activate  c-own  requested`);
      expect((await postern(`approvals approve ${asked.approval.id} --as owner-2`)).stdout).toBe("approved: activate of c-own\n");
      put("trust.json", (await postern("contract trust c-own --as owner-1")).stdout);
      put("gbk.csv", Buffer.from("issuer,subject,role,name\ndemo,agent-1,first_line,\xc1\xd6\n", "latin1"));
      expect(await postern("agents import gbk.csv --contract c-own --as owner-1")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("row:2: not_utf8"),
      });
      expect((await postern("agents import agents.csv --contract c-own --as owner-1")).stdout).toBe("1 seat in c-own\n");
      const seats = (await postern("agents list --contract c-own --as owner-1")).stdout;
      expect(seats).toBe("demo/agent-1  first_line  林小满  works\n1 seat in c-own\n");

      const imported = await postern("records import two.ndjson --contract c-own --type customer --as owner-1");
      expect(imported).toEqual({
        code: 1,
        stdout: `customer: 3 lines, 2 created, 0 updated, 1 rejected
  line 2: bad_json
not stored, because no policy names them or they are secrets:
  loyalty  1
`,
        stderr: "",
      });
      const again = await postern(
        "records import - --contract c-own --type customer --json --as owner-1",
        '{"id":"#W2","name":"欧阳明明"}',
      );
      expect(again.code).toBe(0);
      expect(parsed(again)).toEqual({ lines: 1, created: 0, updated: 1, rejected: [], rejected_count: 0, unnamed: {} });
      expect((await postern("contract show c-own --as owner-1")).stdout).toMatch(/^records\s+2 customer$/m);
      expect(await searchAsAgent("138 1234 5678")).toMatchObject({ records: [{ fields: { name: "林**", phone: "138****5678" } }] });

      expect(await postern("audit export --contract c-own -o log.tar --as officer")).toMatchObject({ code: 0, stdout: "" });
      expect(await postern("audit verify log.tar --trust trust.json")).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^OK, \d+ entries, root \S{44}\n$/),
      });
      await fetchAndVerifyReceipt();
      await purgeAndCertify();
      expect((await postern("audit verify log.tar --trust trust.json")).code).toBe(0);
    },
    slow,
  );

  async function fetchAndVerifyReceipt(): Promise<void> {
    const kept = (await askAsAgent("138 1234 5678")).headers.get("audit-promise") ?? "";
    put("promise.txt", `${kept}\n`);
    const [, id] = /id="([^"]+)"/.exec(kept) ?? [];
    for (const as of ["officer", "agent-1"]) {
      const fetched = await postern(`audit receipt fetch ${id} --contract c-own -o ${as}.tlog-proof --as ${as}`);
      expect(fetched).toMatchObject({ code: 0, stdout: "" });
    }
    const missed = await postern("audit receipt fetch 019ab000-0000-7000-8000-000000000000 --contract c-own --as officer");
    expect(missed).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("not_found") });
    const verified = await postern("audit receipt verify officer.tlog-proof --trust trust.json --promise promise.txt");
    expect(verified).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^OK, entry ${id} is number \\d+ of \\d+ in \\S+/c-own, promised `)),
    });
  }

  async function purgeAndCertify(): Promise<void> {
    expect(await postern("purge status c-own --as owner-1")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nobody has asked"),
    });
    expect((await postern("purge plan c-own --as owner-1")).stdout).toMatch(/postern\.record +2$/m);
    expect(await postern("purge start c-own --confirm=c-other --as owner-1")).toMatchObject({ code: 2, stdout: "" });
    expect(await postern("purge start c-own --as owner-1")).toMatchObject({ code: 2, stderr: expect.stringContaining("--confirm=c-own") });
    expect((await postern("purge start c-own --confirm=c-own --as owner-1")).stdout).toContain("waits for a second owner");
    expect((await postern("purge approve c-own --as owner-1")).stderr).toContain("own_request");
    expect((await postern("purge approve c-own --as owner-2")).code).toBe(0);
    const watched = await postern("purge watch c-own --as owner-1");
    expect(watched.code).toBe(0);
    expect(watched.stdout.trimEnd().split("\n").at(-1)).toMatch(/^c-own: purged, the certificate is there \(certified, 10 of 10/);
    expect((await postern("purge certificate c-own -o certificate.jws --as owner-2")).code).toBe(0);
    expect(await searchAsAgent("138 1234 5678")).not.toHaveProperty("records");
    const certified = await postern("certificate verify certificate.jws --trust trust.json");
    expect(certified).toMatchObject({ code: 0, stdout: expect.stringMatching(/^OK, contract c-own, purge /) });
    expect((await postern("audit export --contract c-own -o frozen.tar --as officer")).code).toBe(0);
    expect((await postern("audit verify frozen.tar --trust trust.json")).code).toBe(0);
  }
});

describe("verifying without a gateway", () => {
  it(
    "tells a pinned verdict, an unpinned one, a bad one and an unusable input apart by exit code",
    async () => {
      const unpinned = await postern("audit verify log.tar", undefined, { POSTERN_ORIGIN: "http://127.0.0.1:9" });
      expect(unpinned).toMatchObject({ code: 3, stdout: expect.stringMatching(/^consistent, keys not pinned/) });

      const bytes = read("log.tar");
      bytes[bytes.indexOf('"customer"')] = "#".charCodeAt(0);
      put("edited.tar", bytes);
      const edited = await postern("audit verify edited.tar --trust trust.json");
      expect(edited).toMatchObject({ code: 1, stdout: expect.stringMatching(/^NOT OK, first bad entry \d+, /) });
      const verdict = parsed(await postern("audit verify edited.tar --trust trust.json --json"));
      expect(verdict).toMatchObject({ ok: false, keys: "pinned", firstBad: expect.any(Number) });

      put("cut.tar", read("log.tar").subarray(0, 5_000));
      expect((await postern("audit verify cut.tar --trust trust.json")).code).toBe(2);
      expect((await postern("audit verify absent.tar --trust trust.json")).stderr).toBe("postern: absent.tar cannot be read (ENOENT)\n");
      put("not-trust.json", "{}");
      expect((await postern("audit verify log.tar --trust not-trust.json")).code).toBe(2);
    },
    slow,
  );

  it(
    "tells a receipt that holds from one that does not, and from a file that is none",
    async () => {
      const nowhere = { POSTERN_ORIGIN: "http://127.0.0.1:9" };
      const text = read("agent-1.tlog-proof").toString("utf8");
      const judge = (file: string, more = "") => postern(`audit receipt verify ${file} --trust trust.json${more}`, undefined, nowhere);
      expect((await judge("agent-1.tlog-proof")).code).toBe(0);
      expect(parsed(await judge("agent-1.tlog-proof", " --json"))).toMatchObject({ ok: true, problems: [] });
      put("moved.tlog-proof", text.replace(/\nindex \d+/, "\nindex 0"));
      expect(await judge("moved.tlog-proof")).toMatchObject({ code: 1, stdout: expect.stringMatching(/^NOT OK\n {2}not_included: /) });
      put("none.tlog-proof", "\u001b[31mtext\n");
      expect(await judge("none.tlog-proof")).toMatchObject({ code: 1, stdout: "NOT OK\n  malformed: it is not a receipt\n" });
      put("other-promise.txt", read("promise.txt").toString("utf8").replace("i=0", "i=1"));
      expect((await judge("agent-1.tlog-proof", " --promise other-promise.txt")).stdout).toContain("kept_differs");
      expect((await judge("absent.tlog-proof")).code).toBe(2);
    },
    slow,
  );

  it(
    "finds a tail that was cut off, by an export's checkpoint kept from before",
    async () => {
      put("seen.txt", checkpointIn(read("frozen.tar")));
      expect((await postern("audit verify frozen.tar --trust trust.json --seen seen.txt --seen seen.txt")).code).toBe(0);
      const older = await postern("audit verify log.tar --trust trust.json --seen seen.txt");
      expect(older).toMatchObject({ code: 1, stdout: expect.stringContaining("seen_missing") });
    },
    slow,
  );

  it("refuses a certificate with one letter changed", async () => {
    const jws = read("certificate.jws").toString("utf8");
    put("forged.jws", `${jws.slice(0, 400)}${jws[400] === "A" ? "B" : "A"}${jws.slice(401)}`);
    expect(await postern("certificate verify forged.jws --trust trust.json")).toMatchObject({
      code: 1,
      stdout: "NOT OK\n  signature: its signature does not fit: it was changed or cut\n",
    });
  });
});

describe("a mistake on the command line", () => {
  it.each([
    ["contarct list", "postern: there is no command postern contarct; did you mean contract?; see: postern --help\n"],
    [
      "contract apply x.yaml --polcy y",
      "postern: --polcy is not a flag of postern contract apply; did you mean --policy?; see: postern contract apply --help\n",
    ],
    ["contract show", "postern: postern contract show wants ID; see: postern contract show --help\n"],
    ["contract show a b", "postern: postern contract show takes 1 argument; see: postern contract show --help\n"],
    ["records import x --type customer", "postern: postern records import wants --contract; see: postern records import --help\n"],
    ["serve --only both", "postern: --only is one of edge, keeper; see: postern serve --help\n"],
    ["contract show .. --as owner-1", 'postern: ".." is not an id\n'],
    ["token agent-1 --ttl 2h", "postern: --ttl is a length as 30s, 15m or 1h, at most 1h\n"],
    ["keys rotate", "postern: postern keys rotate wants ID; see: postern keys rotate --help\n"],
  ])("`postern %s` ends with code 2 and says what to do", async (words, line) => {
    expect(await postern(words)).toEqual({ code: 2, stdout: "", stderr: line });
  });

  it("shows examples before anything else in --help", async () => {
    const { code, stdout } = await postern("records import --help");
    expect(code).toBe(0);
    expect(stdout.split("\n")[2]).toMatch(/^ {2}npx postern records import customers\.ndjson/);
  });

  it("in a contract file is named by line and column, with nothing sent", async () => {
    put("bad.yaml", contractText({ contract: "c-bad" }).replace("end: 2099-01-01", "end: 2099-02-30"));
    const line = /^ {2}bad\.yaml:3:\d+: not a date that exists/m;
    expect(await postern("contract apply bad.yaml --as owner-1")).toMatchObject({ code: 1, stderr: expect.stringMatching(line) });
    expect(await postern("policy check bad.yaml")).toMatchObject({ code: 1, stderr: expect.stringMatching(line) });
    expect((await postern(`policy check ${join(root, "policies/cs-standard.yaml")}`)).stdout).toBe("OK, 1 file\n");
  });

  it("is warned of where a policy grants more than the contract beside it, and still passes", async () => {
    put("narrow.yaml", contractText({ contract: "c-narrow", ceiling: "{ plain: reveal, phone: mask }" }));
    const { code, stdout } = await postern(`policy check narrow.yaml ${join(root, "policies/cs-standard.yaml")}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warning: .*cs-standard\.yaml:\d+:\d+: customer\.name → mask is more than .* withhold \(narrow\.yaml:5\)/m);
    expect(stdout).toMatch(/^OK, 2 files$/m);
  });

  it("with no gateway there names the origin and the cure", async () => {
    const away = await postern("contract list --as owner-1", undefined, { POSTERN_ORIGIN: "http://127.0.0.1:9" });
    expect(away.code).toBe(69);
    expect(away.stderr).toMatch(/^postern: no gateway answers at http:\/\/127\.0\.0\.1:9 .*npx postern serve.*\n$/);
  });

  it("with a token that the gateway does not take says so, without repeating it", async () => {
    const refused = await postern("contract list", undefined, { POSTERN_TOKEN: "not-a-token" });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^postern: The access token is not valid/) });
    expect(refused.stderr).not.toContain("not-a-token");
  });
});

describe("a gateway that runs", () => {
  it("is found healthy by the doctor, and a missing key file is not", async () => {
    const healthy = await postern("doctor --json");
    expect(healthy.code).toBe(0);
    expect(parsed(healthy)).toMatchObject({ ok: true });
    expect(healthy.stdout).toContain("within 300 s, and past 600 s nothing is disclosed");
    expect(healthy.stdout).toMatch(/edge [A-Za-z0-9+/]{43}=, keeper [A-Za-z0-9+/]{43}=/);
    const missing = await postern("doctor --json", undefined, { POSTERN_LOG_KEY: `file:${join(home, "absent.key")}` });
    expect(missing.code).toBe(1);
    expect(parsed(missing)).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ check: "key files", status: "failing" })]),
    });
  });

  it("keeps a second one from its directory, with one line that names it", async () => {
    const line = `postern: the database directory ${join(home, "data/db")} is in use by process ${gateway.pid}; stop it first\n`;
    expect(await postern("serve")).toEqual({ code: 78, stdout: "", stderr: line });
  });

  it(
    "ends with code 0 when told to, and finds everything again",
    async () => {
      const ended = new Promise((resolve) => gateway.once("exit", resolve));
      gateway.kill("SIGTERM");
      expect(await ended).toBe(0);
      gateway = await serve();
      expect((await postern("contract list --as owner-1")).stdout).toMatch(/^c-own {2}purged/);
    },
    slow,
  );
});

async function searchAsAgent(phone: string): Promise<unknown> {
  return (await askAsAgent(phone)).json();
}

async function askAsAgent(phone: string): Promise<Response> {
  const { stdout } = await postern("token agent-1");
  return fetch(`${origin}/v1/contracts/c-own/records/customer/search`, {
    method: "POST",
    headers: { authorization: `Bearer ${stdout.trim()}`, "content-type": "application/json" },
    body: JSON.stringify({ by: { phone } }),
  });
}

/** The tar's member `checkpoint`, up to its padding. */
function checkpointIn(tar: Buffer): string {
  for (let at = 0; at < tar.length; ) {
    const name = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 136), 8);
    if (name === "checkpoint") return tar.toString("utf8", at + 512, at + 512 + size);
    at += 512 + Math.ceil((size || 0) / 512) * 512;
  }
  throw new Error("the export has no checkpoint");
}

function parsed({ stdout }: Ran): unknown {
  return JSON.parse(stdout);
}
