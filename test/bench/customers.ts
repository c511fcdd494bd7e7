/** The bench's customers: 20 fields and about 2 kB of JSON each, the same every time. Nobody is in them. */
import { chineseAddress } from "../../src/demo/addresses.ts";
import { chineseName } from "../../src/demo/names.ts";
import { mobile, residentId } from "../../src/demo/numbers.ts";
import { createDice, type Dice } from "../../src/demo/random.ts";

export type Customer = Readonly<Record<string, string | number | boolean>> & { readonly id: string; readonly phone: string };

const phrases = [
  "老客户，喜欢顺丰",
  "曾投诉包装破损，已补发",
  "对坚果过敏",
  "工作日送公司前台",
  "晚上六点以后再打",
  "回访满意",
  "发票抬头已存",
];
const channels = ["app", "web", "mini-program", "store"];

/** `number` from 0. */
export function generateCustomer(number: number): Customer {
  const dice = createDice(`bench ${number}`);
  return {
    id: `B${100_000 + number}`,
    name: chineseName(dice),
    phone: mobile(dice, number),
    backup_phone: mobile(dice, 1_000_000 + number),
    email: `${dice.token(9)}@example.com`,
    address: chineseAddress(dice),
    billing_address: chineseAddress(dice),
    id_card: residentId(dice),
    card: `6200${dice.digits(12)}`,
    note: prose(dice, 10),
    service_log: prose(dice, 12),
    vip: dice.oneIn(6),
    level: dice.pick(["普通", "银卡", "金卡", "钻石"]),
    points: dice.below(100_000),
    orders: dice.below(400),
    channel: dice.pick(channels),
    language: "zh-CN",
    registered_at: `20${dice.between(15, 25)}-0${dice.between(1, 9)}-1${dice.below(10)}T08:30:00+08:00`,
    last_order: `O${dice.digits(12)}`,
    segments: Array.from({ length: 24 }, () => dice.token(10)).join(" "),
    preferences: Array.from({ length: 20 }, () => `${dice.token(6)}=${dice.token(4)}`).join(";"),
  };
}

/** Numbers from `from` on, each made when it is asked for. */
export function* generateCustomers(count: number, from = 0): Iterable<Customer> {
  for (let number = from; number < from + count; number++) yield generateCustomer(number);
}

function prose(dice: Dice, sentences: number): string {
  return Array.from({ length: sentences }, () => dice.pick(phrases)).join("。");
}

/** As shops write it for their first line: contact data masked, papers and prose withheld, the rest as it is. Every field is named. */
export const policyText = `resources:
  customer:
    subject: id
    fields:
      name:            { class: person_name }
      phone:           { class: phone, search: true }
      backup_phone:    { class: phone }
      email:           { class: email, search: true }
      address:         { class: address }
      billing_address: { class: address }
      id_card:         { class: resident_id }
      card:            { class: payment_card }
      note:            { class: free_text }
      service_log:     { class: free_text }
      vip:             { class: plain }
      level:           { class: plain }
      points:          { class: plain }
      orders:          { class: plain }
      channel:         { class: plain }
      language:        { class: plain }
      registered_at:   { class: plain }
      last_order:      { class: plain }
      segments:        { class: plain }
      preferences:     { class: plain }
roles:
  first_line:
    customer: { name: mask, phone: mask, backup_phone: mask, email: mask, address: mask, billing_address: mask,
      note: mask, service_log: mask, vip: reveal, level: reveal, points: reveal, orders: reveal, channel: reveal, language: reveal,
      registered_at: reveal, last_order: reveal, segments: reveal, preferences: reveal }
`;
