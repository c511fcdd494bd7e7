/** The policy on the command line: compared, replayed against the log of a running gateway, changed by one owner and by two. */
import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { contractText, shippedPolicy } from "./support/agreement.ts";
import { createCommandLine, operatorFile } from "./support/command-line.ts";

const { origin, postern, serve, put, remove } = await createCommandLine({ migrated: true });
const slow = 120_000;
let gateway: ChildProcess;
let token: string;

const shipped = shippedPolicy("cs-standard");
const terms = { contract: "c-own", roles: "[first_line]", ceiling: "{ plain: reveal, person_name: reveal, phone: reveal, email: reveal }" };
const approvalShape = z.looseObject({ approval: z.looseObject({ id: z.string() }) });

beforeAll(async () => {
  put("postern.yaml", operatorFile);
  put("contract.yaml", contractText(terms));
  put("old.yaml", shipped);
  put("narrow.yaml", shipped.replace("      name: mask", "      name: withhold"));
  put("wide.yaml", shipped.replace("      phone: mask", "      phone: { reveal: { when: agent.subject == 'agent-1' }, else: mask }"));
  put("clear.yaml", shipped.replace("      phone: mask", "      phone: reveal"));
  put("agents.csv", "issuer,subject,role,name\ndemo,agent-1,first_line,林小满\n");
  put("two.ndjson", '{"id":"#W1","name":"林小满","phone":"13812345678","email":"a@example.com"}\n{"id":"#W2","name":"欧阳明"}\n');
  gateway = await serve();
  await postern("contract apply contract.yaml --policy old.yaml --as owner-1");
  const asked = approvalShape.parse(JSON.parse((await postern("contract activate c-own --json --as owner-1")).stdout));
  await postern(`approvals approve ${asked.approval.id} --as owner-2`);
  await postern("agents import agents.csv --contract c-own --as owner-1");
  await postern("records import two.ndjson --contract c-own --type customer --as owner-1");
  token = (await postern("token agent-1")).stdout.trim();
}, slow);

afterAll(() => {
  gateway.kill("SIGKILL");
  remove();
});

async function nameSeen(id = "#W1"): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const url = `${origin}/v1/contracts/c-own/records/customer/search`;
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ by: { id } }) });
  const found = z.object({ records: z.array(z.looseObject({ fields: z.record(z.string(), z.unknown()) })) }).parse(await answer.json());
  return found.records[0]?.fields.name;
}

describe("postern policy diff", () => {
  it("ends with 0 where nothing is wider, with 4 where something is, and names both lines", async () => {
    expect(await postern("policy diff old.yaml narrow.yaml")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^narrowed +first_line +customer +name +mask → withhold +old\.yaml:\d+ → narrow\.yaml:\d+$/m),
    });
    expect(await postern("policy diff old.yaml wide.yaml --contract contract.yaml")).toMatchObject({
      code: 4,
      stdout: expect.stringMatching(/^widened +first_line +customer +phone +mask → reveal when agent\.subject == 'agent-1', else mask /m),
    });
    expect(await postern("policy diff old.yaml old.yaml")).toEqual({
      code: 0,
      stdout: "nothing that anybody sees is changed\n",
      stderr: "",
    });
    const { stdout, code } = await postern("policy diff old.yaml wide.yaml --json");
    expect(JSON.parse(stdout)).toMatchObject({ widens: true, differences: [{ field: "phone", direction: "widened" }] });
    expect(code).toBe(4);
  });

  it("under a contract that caps it finds no difference, and by another contract one", async () => {
    put("low.yaml", contractText({ ...terms, ceiling: terms.ceiling.replace("phone: reveal", "phone: mask") }));
    expect((await postern("policy diff old.yaml clear.yaml --contract low.yaml")).code).toBe(0);
    expect((await postern("policy diff clear.yaml clear.yaml --contract low.yaml --new-contract contract.yaml")).code).toBe(4);
    put("broken.yaml", shipped.replace("class: phone,", "class: phon,"));
    expect(await postern("policy diff old.yaml broken.yaml")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/broken\.yaml:\d+:\d+/),
    });
  });
});

describe("postern policy replay", () => {
  it(
    "says of a log what a new policy would have shown, and what it cannot say",
    async () => {
      await nameSeen();
      await nameSeen();
      await nameSeen("#W2");
      await nameSeen("#W9");
      await postern("audit export --contract c-own -o log.tar --as officer");
      const bare = await postern("policy replay log.tar --contract contract.yaml --policy clear.yaml");
      expect(bare.code).toBe(0);
      expect(bare.stdout).toMatch(/^phone revealed +0 → 2 +\+ 1 at most$/m);
      expect(bare.stdout).toMatch(/^first_line +phone +mask +2 +0$/m);
      expect(bare.stdout).toMatch(/^not taken again: nothing was found then +1$/m);
      expect(bare.stderr).toMatch(/next: npx postern policy show c-own --digest sha256:[0-9a-f]{64} --bundle > before\.json/);

      put("before.json", (await postern("policy show c-own --bundle --as officer")).stdout);
      const known = await postern("policy replay log.tar --contract contract.yaml --policy clear.yaml --before before.json --days 1");
      expect(known).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^phone revealed +0 → 2$/m) });
      expect(known.stdout).toMatch(/^3 answers decided again$/m);
      const open = await postern("policy replay log.tar --contract contract.yaml --policy wide.yaml --before before.json --json");
      expect(JSON.parse(open.stdout)).toMatchObject({
        replayed: 3,
        missing: {},
        counts: expect.arrayContaining([{ role: "first_line", class: "phone", treatment: "open", before: 0, after: 2, perhaps: 0 }]),
      });
    },
    slow,
  );

  it("refuses what is no export, and days that are none", async () => {
    expect((await postern("policy replay contract.yaml --contract contract.yaml --policy old.yaml")).code).toBe(2);
    expect((await postern("policy replay log.tar --contract contract.yaml --policy old.yaml --days 0")).code).toBe(2);
    expect((await postern("policy replay log.tar --contract contract.yaml --policy old.yaml --before contract.yaml")).code).toBe(1);
  });
});

describe("postern policy apply", () => {
  it(
    "shows what changes, then narrows at once and asks a second owner for what is wider",
    async () => {
      const dry = await postern("policy apply contract.yaml --policy narrow.yaml --dry-run --as owner-1");
      expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining("1 narrowed"), stderr: "nothing was changed\n" });
      expect(await nameSeen()).toBe("林**");

      const narrowed = await postern("policy apply contract.yaml --policy narrow.yaml --as owner-1");
      expect(narrowed.stdout).toMatch(/mask → withhold.*\n1 narrowed\nin force in c-own from now on\nsha256:/);
      expect(await nameSeen()).toBeNull();

      const widened = await postern("policy apply contract.yaml --policy old.yaml --why season --as owner-1");
      expect(widened).toMatchObject({ code: 0, stdout: expect.stringContaining("so a second owner is asked: approval ") });
      const [, id = ""] = /approvals approve (\S+)/.exec(widened.stderr) ?? [];
      expect(await nameSeen()).toBeNull();
      const shown = await postern("policy show c-own --as owner-2");
      expect(shown.stdout).toMatch(/^widened +first_line +customer +name +withhold → mask/m);
      expect(shown.stderr).toBe(`next: npx postern approvals approve ${id} --as owner-2\n`);
      expect((await postern(`approvals show ${id} --as owner-2`)).stdout).toMatch(/^why +season$/m);
      expect(await postern(`approvals approve ${id} --as owner-2`)).toMatchObject({
        code: 0,
        stdout: "approved: change_policy of c-own\n",
        stderr: "next: npx postern policy show c-own --as owner-2\n",
      });
      expect(await nameSeen()).toBe("林**");
      expect((await postern("policy apply contract.yaml --policy old.yaml --as owner-1")).stdout).toContain(
        "c-own has this policy already",
      );
    },
    slow,
  );

  it("refuses another term by its line", async () => {
    put("longer.yaml", contractText(terms).replace("end: 2099-01-01", "end: 2098-01-01"));
    const refused = await postern("policy apply longer.yaml --policy old.yaml --as owner-1");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/longer\.yaml:3:\d+: the term of a contract in force does not change/),
    });
  });
});

describe("postern connector", () => {
  it(
    "registers the merchant's own API, lists and shows it without its credential, and takes it away",
    async () => {
      put(
        "own.yaml",
        "connector: own\nbase: https://{host}\nsettings: { host: host }\nauthentication: bearer\nroutes:\n  - { get: '/customers/{id}', resource: customer, records: body }\n",
      );
      put("key.txt", "kanarie-credential\n");
      const applied = await postern(
        "connector apply own.yaml --contract c-own --set host=shop.example.com --credential key.txt --as owner-1",
      );
      expect(applied).toMatchObject({
        code: 0,
        stdout: "own leads to shop.example.com; agents' programs ask under\n/v1/contracts/c-own/upstream/own\n",
      });
      expect((await postern("connector list --contract c-own --as owner-1")).stdout).toMatch(
        /^own +shop\.example\.com +since \d{4}-\d\d-\d\d\n$/,
      );
      const shown = await postern("connector show own --contract c-own --json --as owner-1");
      expect(JSON.parse(shown.stdout)).toMatchObject({ authentication: "bearer", routes: ["GET /customers/{id}"] });
      expect(shown.stdout).not.toContain("kanarie");
      expect((await postern("connector remove own --contract c-own --confirm=other --as owner-1")).code).toBe(2);
      expect((await postern("connector remove own --contract c-own --confirm=own --as owner-1")).code).toBe(0);
      expect((await postern("connector show own --contract c-own --as owner-1")).code).toBe(1);
    },
    slow,
  );

  it("drafts one from a sample, which is sound", async () => {
    put("orders.json", JSON.stringify({ orders: [{ id: 1, email: "ann@mail.example" }] }));
    expect((await postern("connector draft orders.json -o first.yaml --policy first-policy.yaml")).code).toBe(0);
    expect(await postern("connector check first.yaml")).toMatchObject({ code: 0 });
    expect((await postern("policy check first-policy.yaml")).code).toBe(0);
  });
});
