/**
 * The demo as a new user meets it: a first start from nothing, then the commands that it prints, pasted one after the other exactly as they stand.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Checkout, checkOut, type Ran, type Terminal } from "./support/checkout.ts";
import { freePort } from "./support/free-port.ts";
import { isLong } from "./support/long.ts";

const startCpuSecondsMax = 10;
const ready = "Stop with Ctrl-C.";
const promise = /^audit-promise: jws="[\w.-]+", id="[\w-]{36}", i=\d+, path=:[\w+/=]*:/im;
const verified = /^OK, \d+ entries, root [\w+/]{43}=$/m;

describe("the demo, pasted", () => {
  let checkout: Checkout;
  let terminal: Terminal;
  const commands: string[] = [];
  /** Title of a step → what its commands printed, in order. */
  const steps: Ran[][] = [];

  beforeAll(async () => {
    checkout = checkOut({ PORT: String(await freePort()) });
    terminal = await checkout.open("npm start", ready);
    let settings = "";
    for (const line of terminal.output().split("\n")) {
      if (/^\d+\. /.test(line)) steps.push([]);
      if (/^ {3}export /.test(line)) settings = line;
      else if (/^ {3}[^ #]/.test(line)) {
        commands.push(line);
        steps.at(-1)?.push(await checkout.run(`${settings}\n${line}`));
      }
    }
  }, 240_000);
  afterAll(() => checkout.remove());

  it("says where it is and who there is, and prints its commands", () => {
    expect(terminal.output()).toMatch(/Postern serves the demo's world at http:\/\/127\.0\.0\.1:\d+/);
    for (const name of ["agent-1", "officer", "owner-1", "owner-2"]) expect(terminal.output()).toContain(name);
    expect(steps.map((ran) => ran.length)).toEqual([1, 2, 5, 9, 9]);
  });

  it("1: shows a customer masked, with reasons and a promise", () => {
    const [read] = outputs(0);
    expect(read).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(read).toMatch(promise);
    expect(JSON.parse(read?.split("\r\n\r\n")[1] ?? "")).toMatchObject({
      fields: { name: "林**", phone: "138****8000", email: "l***@example.com", address: "浙江省杭州市西湖区****", id_card: null },
    });
    expect(read).toContain('"why":"role first_line: phone → mask (cs-standard.yaml:');
    expect(read).not.toMatch(/知夏|00138000|linzhixia|望潮路/);
  });

  it("2: finds the customer in either spelling, masked all the same", () => {
    for (const found of outputs(1)) {
      expect(JSON.parse(found)).toMatchObject({ records: [{ fields: { name: "林**", phone: "138****8000" } }], more: false });
    }
  });

  it("3: refuses, and gives another contract's customer the answer of one that does not exist", () => {
    const [other, missing, ...rest] = outputs(2).map((text) => ({ ...JSON.parse(text), request_id: "" }));
    expect(other).toEqual(missing);
    expect([missing, ...rest].map(({ status, code }) => `${status} ${code}`)).toEqual([
      "404 not_found",
      "403 not_permitted",
      "403 contract_ended",
      "401 token_expired",
    ]);
  });

  it("4: lists who saw what, verifies the log, names the tampered entry, and verifies again", () => {
    const [listed = "", , before, tampered = "", , found = "", undone, , after] = outputs(3);
    const { entries } = JSON.parse(listed);
    expect(entries).toHaveLength(3);
    expect(entries[0]).toMatchObject({ actor: { role: "agent", issuer: "demo", subject: "agent-1" } });
    expect(before).toMatch(verified);
    const [, index] = /^Changed byte \d+ of entry (\d+) in c-hangzhou-cs/.exec(tampered) ?? [];
    expect(found).toMatch(new RegExp(`^NOT OK, first bad entry ${index},`));
    expect(undone).toMatch(/^Put back byte \d+ of entry \d+/);
    expect(after).toMatch(verified);
    expect(steps[3]?.map((ran) => ran.exitCode)).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0]);
  });

  it("5: ends the contract with two owners, a certificate that verifies, and a log that still does", () => {
    const [planned, requested, approved, watched, , certified, refused = "", , log] = outputs(4);
    expect(steps[4]?.map((ran) => ran.exitCode)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(planned).toMatch(/postern\.record +480/);
    expect(requested).toMatch(/requested/);
    expect(approved).toMatch(/approved/);
    expect(watched).toMatch(/certified/);
    expect(certified).toMatch(/^OK/m);
    expect(["not_found", "contract_purged"]).toContain(JSON.parse(refused).code);
    expect(log).toMatch(verified);
  });

  it("needs no program that a checkout with curl does not have, and no fault of ours shows", () => {
    expect(commands.length).toBe(26);
    for (const ran of steps.flat()) expect(ran.output + ran.errors).not.toMatch(/command not found|No such file|fault of Postern/);
  });

  it("stops at Ctrl-C, and the next start finds its world again", async () => {
    await terminal.interrupt();
    expect(existsSync(join(checkout.directory, "data/db.lock"))).toBe(false);
    const again = await checkout.open("npm start", ready);
    const tourOf = (text: string) => text.slice(text.indexOf("Postern serves"), text.indexOf(ready));
    expect(tourOf(again.output())).toBe(tourOf(terminal.output()));
    expect((await again.interrupt()).errors).not.toContain("First start");
  }, 60_000);

  it.runIf(isLong)(
    "starts over where the first start was interrupted, and takes under ten seconds of one processor for it",
    async () => {
      const data = join(checkout.directory, "data");
      const marker = readFileSync(join(data, "DEMO"), "utf8");
      writeFileSync(join(data, "DEMO"), '{"format":"postern-demo/1","state":"seeding"}\n');
      const again = await checkout.open("trap : INT; npm start; times", ready);
      expect(readFileSync(join(data, "DEMO"), "utf8")).not.toBe(marker);
      const second = await checkout.run("PORT=1 npx postern demo --reset");
      expect(second).toMatchObject({ exitCode: 78, errors: expect.stringContaining("in use by process") });
      const { output, errors } = await again.interrupt();
      expect(errors).toContain("First start");
      expect(cpuSeconds(output)).toBeLessThan(startCpuSecondsMax);
    },
    60_000,
  );

  function outputs(step: number): string[] {
    return (steps[step] ?? []).map((ran) => ran.output);
  }
});

/** Of what bash's `times` says of its children: the last line, user and system. */
function cpuSeconds(output: string): number {
  const times = output.trimEnd().split("\n").at(-1) ?? "";
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

describe("the demo's directory", () => {
  let checkout: Checkout;
  beforeAll(() => {
    checkout = checkOut({ PORT: "1" });
  });
  afterAll(() => checkout.remove());

  it("is never one that the demo did not make", async () => {
    mkdirSync(join(checkout.directory, "data/keys"), { recursive: true });
    writeFileSync(join(checkout.directory, "data/keys/root.key"), "somebody's\n");
    const ran = await checkout.run("npx postern demo --reset");
    expect(ran).toMatchObject({ exitCode: 78, errors: expect.stringContaining("did not make") });
    expect(existsSync(join(checkout.directory, "data/keys/root.key"))).toBe(true);
  }, 30_000);

  it("is refused in production, and so are its keys under another name", async () => {
    const demo = await checkout.run("NODE_ENV=production npx postern demo");
    expect(demo).toMatchObject({ exitCode: 78, errors: expect.stringContaining("refused in production") });
    mkdirSync(join(checkout.directory, "copied"));
    writeFileSync(join(checkout.directory, "copied/DEMO"), "");
    writeFileSync(
      join(checkout.directory, "copied/root.key"),
      `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}\n`,
    );
    writeFileSync(join(checkout.directory, "postern.yaml"), operatorFile);
    const url = "postgres://postern@127.0.0.1:1/none";
    const settings = `NODE_ENV=production POSTERN_DATA=other POSTERN_ROOT_KEY=file:copied/root.key DATABASE_URL_EDGE=${url} DATABASE_URL_KEEPER=${url}`;
    const serve = await checkout.run(`${settings} npx postern serve`);
    expect(serve).toMatchObject({ exitCode: 78, errors: expect.stringContaining("copied/root.key is a key of the demo's") });
  }, 30_000);
});

const operatorFile = `issuers: [ { id: idp, issuer: "https://id.example", jwks: "https://id.example/jwks" } ]
merchants: { m: { owners: [ { issuer: idp, subject: a }, { issuer: idp, subject: b } ] } }
`;
