/**
 * What a decision and a mask cost: of a 2 kB record with 20 fields, and of a Taobao trade with all of its fields where its description is at hand.
 * Beside it JSON.parse and JSON.stringify of the identical bytes, in the same process and in alternating rounds. The ratio is the cost.
 */
import { type Json, type JsonObject, parseJson } from "../../src/kernel/index.ts";
import { type DataClass, maskDocument } from "../../src/masking/index.ts";
import { type Bundle, compile, decide, type Facts, parseContract, parsePolicy, settle } from "../../src/policy/index.ts";
import { hasShared, readShared } from "../support/shared.ts";
import { generateCustomer, policyText } from "./customers.ts";
import type { Effort, Scenario } from "./rounds.ts";
import { Times } from "./times.ts";

const moment = { today: "2026-11-22", pseudonymKey: new Uint8Array(32).fill(7) };
const documents = 256;
const facts: Facts = {
  agent: { role: "first_line", issuer: "demo", subject: "agent-1" },
  contract: { id: "c-bench", merchant: "m-bench", vendor: "v-bench" },
  request: { hour: 9, minute: 30, weekday: 1, date: moment.today, network: "", purpose: "after_sales", ticket: "" },
  record: {},
};

interface Work {
  readonly name: string;
  readonly bundle: Bundle;
  readonly type: string;
  readonly texts: readonly string[];
}

export function measureDecideMask({ rounds, seconds }: Pick<Effort, "rounds" | "seconds">): Scenario[] {
  return [customerWork(), ...tradeWork()].map((work) => measureWork(work, rounds, seconds));
}

function measureWork({ name, bundle, type, texts }: Work, rounds: number, seconds: number): Scenario {
  const records = texts.map((text) => parseJson(text) as JsonObject);
  const question = { role: "first_line", type, purpose: "after_sales" };
  const ours = () => (index: number) => {
    const decision = decide(bundle, question);
    const record = records[index % records.length];
    if (decision === null || record === undefined) throw new Error("nothing to decide");
    return maskDocument(settle(decision, facts).plan, record, moment);
  };
  const theirs = () => (index: number) => JSON.stringify(JSON.parse(texts[index % texts.length] ?? "") as Json);
  const measured = { ours: new Times(), theirs: new Times() };
  for (const work of [theirs(), ours()]) run(work, 0.3, new Times());
  for (let round = 0; round < rounds; round++) {
    run(theirs(), seconds / 2, measured.theirs);
    run(ours(), seconds / 2, measured.ours);
  }
  const baseline = measured.theirs.summary();
  const cost = measured.ours.summary();
  return {
    name,
    connections: 1,
    ...cost,
    rss_mb: Number((process.memoryUsage().rss / 2 ** 20).toFixed(1)),
    cpu_us: Number((cost.p50_ms * 1_000).toFixed(1)),
    baseline: { name: "parse-stringify", ...baseline },
    ratio: Number((measured.ours.p50Ms() / measured.theirs.p50Ms()).toFixed(3)),
  };
}

let sink: unknown;

function run(work: (index: number) => unknown, seconds: number, times: Times): void {
  const end = performance.now() + seconds * 1000;
  for (let index = 0, now = performance.now(); now < end; index++) {
    sink = work(index);
    const after = performance.now();
    times.add(after - now);
    now = after;
  }
  if (sink === undefined) throw new Error("nothing was done");
}

function customerWork(): Work {
  const texts = Array.from({ length: documents }, (_, number) => JSON.stringify(generateCustomer(number)));
  return { name: "decide-mask", bundle: bundleOf(policyText), type: "customer", texts };
}

interface Param {
  readonly name: string;
  readonly type: string;
  readonly subParams?: readonly Param[] | null;
}

const tradeFile = "apis/taobao/tbtrade/taobao_trade_fullinfo_get.json";

function tradeWork(): Work[] {
  if (!hasShared(tradeFile)) return [];
  const { responseParams }: { responseParams: readonly Param[] } = JSON.parse(readShared(tradeFile));
  const [trade] = responseParams;
  const fields = leavesOf(trade?.subParams ?? [], "");
  const rules = fields.map((path) => [path, classOf(path)] as const);
  const text = `resources:\n  trade:\n    subject: id\n    fields:\n${rules.map(([path, name]) => `      "${path}": { class: ${name} }`).join("\n")}
roles:\n  first_line:\n    trade:\n${rules.map(([path, name]) => `      "${path}": ${name === "plain" ? "reveal" : "mask"}`).join("\n")}\n`;
  const document = JSON.stringify(exampleOf(trade?.subParams ?? []));
  return [{ name: "decide-mask-trade", bundle: bundleOf(text), type: "trade", texts: [document] }];
}

function leavesOf(params: readonly Param[], prefix: string): string[] {
  return params.flatMap((param) => {
    const path = `${prefix}${param.name}${param.type.endsWith("[]") ? "[]" : ""}`;
    return param.subParams?.length ? leavesOf(param.subParams, `${path}.`) : [path];
  });
}

function exampleOf(params: readonly Param[]): Record<string, Json> {
  return Object.fromEntries(
    params.map((param) => {
      const value = param.subParams?.length ? exampleOf(param.subParams) : exampleValue(param.name);
      return [param.name, param.type.endsWith("[]") ? [value] : value];
    }),
  );
}

const examples: readonly (readonly [pattern: RegExp, name: DataClass, value: string])[] = [
  [/mobile|phone/, "phone", "13812345678"],
  [/address|receiver_(?:city|district|town|street)/, "address", "浙江省杭州市西湖区文三路1号"],
  [/nick|open_uid/, "nickname", "摩天轮的猫"],
  [/receiver_name|buyer_name/, "person_name", "林黛玉"],
  [/email|alipay/, "email", "daniel@126.com"],
];

function classOf(path: string): DataClass {
  return examples.find(([pattern]) => pattern.test(path.slice(path.lastIndexOf(".") + 1)))?.[1] ?? "plain";
}

function exampleValue(name: string): string {
  return examples.find(([pattern]) => pattern.test(name))?.[2] ?? "2188082354079975";
}

function bundleOf(policy: string): Bundle {
  const ceiling = "plain: reveal, person_name: mask, phone: mask, email: mask, address: mask, nickname: mask";
  const contract = parseContract(
    `contract: c-bench\nparties: { merchant: m-bench, vendor: v-bench }\nterm: { start: 2026-01-01, end: 2030-01-01, zone: Asia/Shanghai }
purposes: { after_sales: {} }\nceiling: { ${ceiling} }\npolicy: bench\nroles: [first_line]\n`,
    "bench.yaml",
  );
  const document = parsePolicy(policy, "bench.yaml");
  if (!contract.ok || !document.ok) throw new Error("the bench's policy does not parse");
  const bundle = compile(document.value, contract.value);
  if (!bundle.ok) throw new Error("the bench's policy does not compile");
  return bundle.value;
}
