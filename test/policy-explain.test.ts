/**
 * `policy explain`: why a field is shown as it is. What it says of a decision is what a disclosure does.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../src/kernel/index.ts";
import {
  circumstancesOf,
  compile,
  decide,
  describeProblem,
  type Explanation,
  explain,
  instantAt,
  judge,
  parseContract,
  parsePolicy,
  show,
  sortFields,
} from "../src/policy/index.ts";
import { type CommandLine, createCommandLine } from "./support/command-line.ts";
import { root } from "./support/repository.ts";

const policyText = `resources:
  order:
    subject: id
    fields:
      status: { class: plain }
      phone: { class: phone }
      email: { class: email }
      name: { class: person_name }
      born: { class: birth_date }
      paper: { class: resident_id }
      address: { class: address }
      card: { class: payment_card }
roles:
  agent:
    order:
      rows: 'record.status != "gone"'
      status: reveal
      phone: { reveal: { when: 'record.status == "open"' }, else: mask }
      email: { reveal: { when: request.hour < 12 }, else: mask }
      name: { reveal: { purposes: [shipping] }, else: mask }
      born: reveal
      paper: mask
      address: { reveal: { quota: 20/day, reason: required } }
`;

const contractText = `contract: c-1
parties:  { merchant: m-1, vendor: v-1 }
term:     { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
purposes:
  shipping: {}
  support: { classes: [phone, person_name] }
hours:    { from: "09:00", to: "21:00" }
ceiling:
  plain: reveal
  phone: reveal
  email: { mask: { profile: strict } }
  person_name: reveal
  birth_date: reveal
  resident_id: mask
  address: reveal
policy:   p
roles:    [agent]
`;

function world(policy: string, contract: string) {
  const [read, signed] = [parsePolicy(policy, "p.yaml"), parseContract(contract, "c.yaml")];
  if (!read.ok || !signed.ok) throw new Error([read, signed].flatMap((one) => (one.ok ? [] : one.refusal.map(describeProblem))).join("\n"));
  const bundle = compile(read.value, signed.value);
  if (!bundle.ok) throw new Error(bundle.refusal.map(describeProblem).join("\n"));
  return { policy: read.value, contract: signed.value, bundle: bundle.value };
}

interface Asked {
  readonly role?: string;
  readonly type?: string;
  readonly purpose?: string;
  readonly at?: string;
  readonly record?: JsonObject | null;
}

const small = world(policyText, contractText);

function explained(asked: Asked = {}, { policy, contract, bundle } = small) {
  const { role = "agent", type = "order", purpose = "shipping", at = "2026-03-02T10:00", record = null } = asked;
  const now = instantAt(at, contract.term.zone) ?? 0;
  const circumstances = circumstancesOf(bundle, { agent: { role, issuer: "i", subject: "s" }, now, proven: true, purpose, ticket: null });
  const decision = decide(bundle, { role, type, purpose });
  if (!circumstances.ok || decision === null) throw new Error("no decision");
  return {
    explanation: explain({ policy, contract, decision, type, circumstances: circumstances.value, record }),
    decision,
    circumstances: circumstances.value,
  };
}

function field({ fields }: Explanation, path: string) {
  const found = fields.find((known) => known.path === path);
  if (!found) throw new Error(`no ${path}`);
  return {
    summary: found.summary,
    caps: found.caps.map(({ by, what, at }) => `${by}: ${what}${at ? ` ${at.file}:${at.line}` : ""}`),
    shown: found.shown,
  };
}

describe("an explanation", () => {
  it("names the condition that decides, where the record is not known", () => {
    const { explanation } = explained();
    expect(field(explanation, "phone")).toEqual({ summary: 'reveal if record.status == "open", else mask', caps: [], shown: undefined });
    expect(explanation.rows).toEqual({ when: 'record.status != "gone"', at: { file: "p.yaml", line: 16 }, verdict: "depends" });
  });

  it("names what may be written, and what keeps another field from it", () => {
    const written = world(
      policyText.replace("      status: reveal", "      writes: [status, name, { card: { purposes: [shipping] } }]\n      status: reveal"),
      contractText,
    );
    const { fields } = explained({ purpose: "support" }, written).explanation;
    const of = (path: string) => fields.find((known) => known.path === path);
    expect(of("status")?.writable).toEqual({ file: "p.yaml", line: 17 });
    expect(of("phone")?.writable).toBeUndefined();
    expect(of("card")?.caps.map(({ by, what }) => `${by}: ${what}`)).toContain(
      "ceiling: payment_card is not written: the ceiling withholds it",
    );
  });

  it("says which condition does not hold, or cannot be evaluated", () => {
    const shown = (record: JsonObject) => field(explained({ record }).explanation, "phone");
    expect(shown({ status: "open", phone: "14200001234" })).toEqual({ summary: "reveal", caps: [], shown: '"14200001234"' });
    expect(shown({ status: "shut", phone: "14200001234" })).toEqual({
      summary: "mask",
      caps: ['condition: record.status == "open" does not hold p.yaml:18'],
      shown: '"142****1234"',
    });
    // Without a status the row rule cannot be evaluated either, so nothing is shown.
    const unknown = explained({ record: { phone: "14200001234" } }).explanation;
    expect(unknown.rows?.verdict).toBe("failed");
    expect(field(unknown, "phone")).toEqual({
      summary: "mask",
      caps: ['condition: record.status == "open" cannot be evaluated p.yaml:18'],
      shown: undefined,
    });
    expect(explained({ record: { status: "gone" } }).explanation.rows?.verdict).toBe("fails_to_hold");
  });

  it("asks conditions of the moment without a record", () => {
    expect(field(explained({ at: "2026-03-02T13:00" }).explanation, "email").caps).toEqual([
      "condition: request.hour < 12 does not hold p.yaml:19",
      "ceiling: email at most mask (strict) c.yaml:11",
    ]);
  });

  it("names what the contract caps, and the purpose, with their lines", () => {
    const { explanation } = explained();
    expect(field(explanation, "email")).toMatchObject({
      summary: "mask (strict)",
      caps: ["ceiling: email at most mask (strict) c.yaml:11"],
    });
    expect(field(explanation, "card")).toMatchObject({ summary: "withhold", caps: [] });
    const support = explained({ purpose: "support" }).explanation;
    expect(field(support, "name")).toMatchObject({ summary: "mask", caps: ["purpose: reveal only for shipping p.yaml:20"] });
    expect(field(support, "email")).toMatchObject({ summary: "withhold", caps: ["purpose: support needs phone, person_name c.yaml:6"] });
    const closed = explained({}, world(policyText, contractText.replace("  address: reveal\n", ""))).explanation;
    expect(field(closed, "address")).toMatchObject({ summary: "withhold", caps: ["ceiling: address at most withhold c.yaml:8"] });
  });

  it("names the price of a value, and what a field beside it lowers", () => {
    const { explanation } = explained({ record: { status: "open", paper: "330106199001011233", born: "1990-01-01" } });
    expect(field(explanation, "address").summary).toBe("mask (on request: 20/day, reason)");
    expect(field(explanation, "paper")).toEqual({
      summary: "mask (strict)",
      caps: [expect.stringMatching(/^beside: eight of its digits/)],
      shown: '"********"',
    });
  });

  it("is the decision that a disclosure takes: every role, type, purpose and record of the shipped policy", () => {
    const shipped = readFileSync(join(root, "policies/cs-standard.yaml"), "utf8");
    const wide =
      "{ plain: reveal, person_name: mask, phone: reveal, email: mask, address: reveal, nickname: mask, messenger_account: mask, business_id: reveal }";
    const cs = world(
      shipped,
      contractText.replace(/ceiling:\n(?: {2}.*\n)+/, `ceiling: ${wide}\n`).replace("[agent]", "[first_line, senior]"),
    );
    const records: JsonObject[] = [
      {},
      { status: "open", phone: "14200001234", receiver_mobile: "14200001234" },
      { status: "closed", closed_at: "2026-01-01" },
    ];
    for (const role of ["first_line", "senior"]) {
      for (const type of Object.keys(cs.bundle.resources)) {
        for (const purpose of ["shipping", "support"]) {
          for (const record of records) {
            const { explanation, decision, circumstances } = explained({ role, type, purpose, record }, cs);
            const { levels } = sortFields(decision.resource, record);
            const judged = judge(decision, circumstances, (level) => levels[level]);
            const settled = judged && show(decision, judged.facts, (level) => levels[level], new Uint8Array(32))?.settled;
            expect(explanation.rows?.verdict ?? "holds").toBe(judged?.admitted);
            for (const { path, treatment, profile, to } of settled?.plan.fields ?? []) {
              const [outcome, second] = explanation.fields.find((known) => known.path === path)?.outcomes ?? [];
              expect(second).toBeUndefined();
              expect(outcome, `${role} ${type} ${path}`).toMatchObject({ treatment, ...(profile && { profile }), ...(to && { to }) });
            }
            const owed = explanation.fields.flatMap(({ path, outcomes }) =>
              outcomes.flatMap(({ onRequest }) => (onRequest ? [{ path, ...onRequest }] : [])),
            );
            expect(owed).toEqual(settled?.obligations);
          }
        }
      }
    }
  });
});

describe("postern policy explain", () => {
  let line: CommandLine;
  beforeAll(async () => {
    line = await createCommandLine();
    line.put("p.yaml", policyText);
    line.put("c.yaml", contractText);
    line.put("order.json", '{"status":"open","phone":"14200001234"}');
  });
  afterAll(() => line.remove());

  const usual = "policy explain p.yaml --contract c.yaml --role agent --type order --at 2026-03-02T10:00";

  it("prints a table of every field, and the row rule", async () => {
    const { code, stdout } = await line.postern(`${usual} --purpose support`);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^agent reads order for support, 2026-03-02 10:00 Asia\/Shanghai\np\.yaml under c-1 \(c\.yaml\)\nrow rule record\.status != "gone" \(p\.yaml:16\); it depends on the record: say --record FILE\n\nPATH +CLASS +TREATMENT +WHY\n/,
    );
    expect(stdout).toMatch(
      /^born +birth_date +withhold +the purpose support does not need it; purpose: support needs phone, person_name \(c\.yaml:6\)$/m,
    );
  });

  it("says everything of one field, with what a record shows of it", async () => {
    expect(
      (await line.postern(`${usual} --purpose shipping --field phone --record order.json`)).stdout,
    ).toBe(`agent reads order for shipping, 2026-03-02 10:00 Asia/Shanghai
p.yaml under c-1 (c.yaml)
row rule record.status != "gone" (p.yaml:16); it holds: the record is there

phone
  class      phone
  treatment  reveal
  shown      "14200001234"
  why        role agent: phone → reveal (p.yaml:18)
`);
    const { stdout } = await line.postern(`${usual} --purpose shipping --field phone --json`);
    expect(JSON.parse(stdout)).toMatchObject({
      type: "order",
      request: { purpose: "shipping", hour: 10 },
      rows: { verdict: "depends" },
      fields: [
        { path: "phone", outcomes: [{ treatment: "reveal", when: 'record.status == "open"', at: { line: 18 } }, { treatment: "mask" }] },
      ],
    });
  });

  it("says where nothing is shown at all, and why", async () => {
    const late = usual.replace("T10:00", "T22:00");
    expect((await line.postern(`${late} --purpose shipping`)).stdout).toBe(
      "nothing is shown: Outside the contract's hours (outside_hours, c.yaml:7); say --at TIME for another moment\n",
    );
    expect((await line.postern(`${usual.replace("2026-03", "2027-03")} --purpose shipping`)).stdout).toContain(
      "(contract_ended, c.yaml:3)",
    );
  });

  it.each([
    ["without a purpose where there are two", usual, "say --purpose, one of shipping, support"],
    ["with a purpose that is none", `${usual} --purpose shiping`, "--purpose is one of shipping, support"],
    ["with a role that the contract has not", usual.replace("agent", "agnt"), "--role agnt is not there; did you mean agent?"],
    ["with a field that is none", `${usual} --purpose shipping --field phnoe`, "--field phnoe is not there; did you mean phone?"],
    [
      "with a moment that does not exist",
      `${usual.replace("03-02", "02-30")} --purpose shipping`,
      "--at is a date and time in the contract's zone",
    ],
    ["with a record that is no record", `${usual} --purpose shipping --record p.yaml`, "p.yaml is not JSON: "],
  ])("%s is refused", async (_what, words, said) => {
    expect(await line.postern(words)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(said) });
  });
});
