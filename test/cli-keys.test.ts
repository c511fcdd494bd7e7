/** An owner at the command line, over the embedded database: keys move to a new epoch, and one person is erased. */
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractText } from "./support/agreement.ts";
import { createCommandLine, operatorFile, type Ran } from "./support/command-line.ts";

const { home, postern, serve, put, remove } = await createCommandLine({ migrated: true });
const slow = 120_000;
const owner = "--as owner-1";
let gateway: ChildProcess;

function parsed({ stdout }: Ran): unknown {
  return JSON.parse(stdout);
}

beforeAll(async () => {
  put("postern.yaml", `${operatorFile}operators: [{ issuer: demo, subject: operator }]\n`);
  gateway = await serve();
  put("contract.yaml", contractText({ contract: "c-own" }));
  put("three.ndjson", ["U1", "U2", "U3"].map((id) => `{"id":"${id}","name":"林小满","phone":"13812345678"}\n`).join(""));
  await postern(`contract apply contract.yaml ${owner}`);
  const asked = parsed(await postern(`contract activate c-own --json ${owner}`)) as { approval: { id: string } };
  await postern(`approvals approve ${asked.approval.id} --as owner-2`);
  await postern(`records import three.ndjson --contract c-own --type customer ${owner}`);
}, slow);
afterAll(() => {
  gateway.kill("SIGKILL");
  remove();
});

describe("postern subject and postern keys", () => {
  it(
    "erase one person, move the keys, and then say that copies are closed",
    async () => {
      const dry = await postern(`subject erase c-own --subject U2 --dry-run ${owner}`);
      expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/^would erase 1 records, \d+ index rows and the key of r_/) });
      expect(await postern(`subject erase c-own --subject U2 ${owner}`)).toMatchObject({
        code: 2,
        stderr: "postern: this cannot be undone; say --confirm=U2\n",
      });
      expect((await postern(`subject erase c-own --subject U2 --confirm=U3 ${owner}`)).code).toBe(2);
      expect(await postern(`subject erase c-own --subject nobody --confirm=nobody ${owner}`)).toMatchObject({ code: 1 });
      const erased = await postern(`subject erase c-own --subject U2 --confirm=U2 ${owner}`);
      expect(erased).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(
          "not yet closed: a copy in a backup stays readable until a rotation of the contract's keys has destroyed epoch 1",
        ),
        stderr: expect.stringContaining("npx postern keys rotate c-own --confirm=c-own --as owner-1"),
      });
      const id = /^erasure (\S+) of/.exec(erased.stdout)?.[1];

      expect(await postern(`keys status c-own ${owner}`)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/epoch 1 {2}in_use {2}2 subjects' and 3 other keys {2}0 days old/),
      });
      expect((await postern(`keys rotate c-own --dry-run ${owner}`)).code).toBe(0);
      expect((await postern(`keys rotate c-own ${owner}`)).code).toBe(2);
      const watched = await postern(`keys rotate c-own --confirm=c-own --watch ${owner}`);
      expect(watched).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("c-own: rotated, the old epochs are destroyed, epoch 2 (share_a, 5 of 5, 2 of 2"),
      });
      const { epochs } = parsed(await postern(`keys status c-own --json ${owner}`)) as { epochs: { state: string }[] };
      expect(epochs.map(({ state }) => state)).toEqual(["destroyed", "in_use"]);
      expect(await postern(`keys rotate c-own --index --dry-run ${owner}`)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("With --index, 2 records are opened"),
        stderr: expect.stringContaining("npx postern keys rotate c-own --index --confirm=c-own --as owner-1"),
      });
      const withIndex = await postern(`keys rotate c-own --index --confirm=c-own --watch ${owner}`);
      expect(withIndex).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("epoch 3 (share_a, 7 of 7, 2 of 2 subjects' keys, index key 2: 2 of 2 records, 2 old rows gone)"),
      });
      expect((await postern(`keys status c-own ${owner}`)).stdout).toContain("searches ask with index key 2, over 2 records");
      expect((await postern(`keys status c-own --as officer`)).code).toBe(1);
      expect(await postern(`subject receipt c-own ${id} ${owner}`)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/here: erased 20.*\nin every copy: closed 20/),
      });
    },
    slow,
  );
});

describe("postern keys rewrap-root", () => {
  it(
    "moves everything to another file, after which the old one is not needed",
    async () => {
      const restart = async (variables: Readonly<Record<string, string>>) => {
        gateway.kill("SIGTERM");
        await once(gateway, "exit");
        gateway = await serve(variables);
      };
      put("next.key", `${randomBytes(32).toString("base64")}\n`);
      chmodSync(join(home, "next.key"), 0o600);
      const next = { POSTERN_ROOT_KEY: `file:${join(home, "next.key")}` };
      const operator = "--as operator";
      expect(await postern(`keys rewrap-root --confirm=x ${operator}`)).toMatchObject({ code: 2 });
      await restart({ ...next, POSTERN_ROOT_KEY_BESIDE: `file:${join(home, "data/keys/root.key")}` });
      const dry = await postern(`keys rewrap-root --dry-run ${operator}`);
      const [, name] = /--confirm=([0-9a-f]{16}) /.exec(dry.stderr) ?? [];
      expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/[1-9][0-9]* left to move/) });
      expect(await postern(`keys rewrap-root --confirm=${name} ${operator}`)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("\n0 left"),
      });
      expect(await postern(`keys status ${operator}`)).toMatchObject({ code: 0, stdout: expect.stringContaining(`root key ${name}`) });
      await restart(next);
      expect((await postern(`keys status c-own ${owner}`)).code).toBe(0);
    },
    slow,
  );
});
