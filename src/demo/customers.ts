/**
 * The merchants' customers. Field names are those of policies/cs-standard.yaml; `payment_token` and `device_id` are not, and must stay out.
 */
import { chineseAddress } from "./addresses.ts";
import { momentAfter } from "./calendar.ts";
import { type ForeignAddress, type Foreigner, foreigners } from "./foreigners.ts";
import { chineseName } from "./names.ts";
import { mobile, residentId, spelledPhone } from "./numbers.ts";
import type { Dice } from "./random.ts";

export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly phone: string;
  readonly email: string | null;
  readonly address: string | ForeignAddress;
  readonly id_card: string | null;
  readonly note: string | null;
  readonly vip: boolean;
  readonly level: string;
  readonly registered_at: string;
  readonly payment_token?: string;
  readonly device_id?: string;
}

/** The customer of the demo's commands. The number is China Mobile's own service number, so nobody's, and known to every reader. */
export const firstPhone = "13800138000";
const first = {
  name: "林知夏",
  phone: firstPhone,
  email: "linzhixia@example.com",
  address: "浙江省杭州市西湖区望潮路88号枫林家园3幢2单元1102室",
} as const;

const mailHosts = ["example.com", "example.net", "example.org", "mail.example"];
const levels = ["普通", "银卡", "金卡", "钻石"];
const notes = [
  () => "老客户，喜欢顺丰，工作日送公司前台",
  () => "曾投诉包装破损，已补发，回访满意",
  () => "对坚果过敏，赠品不要放坚果类",
  (phone: string) => `本人电话常打不通，请打家属 ${phone}，晚上六点以后`,
  (phone: string) => `备用手机${phone}（太太），微信同号`,
  (phone: string) => `要求改号为 ${phone.slice(0, 3)} ${phone.slice(3, 7)} ${phone.slice(7)}，待核实`,
];

/** `number`: counts over the whole world from 0; the first of it is the one that the demo's commands use. */
export function generateCustomer(dice: Dice, number: number, today: number): Customer {
  const person = personOf(dice, number);
  return {
    id: customerId(number),
    ...person,
    note: dice.oneIn(3) ? dice.pick(notes)(mobile(dice, 100_000 + number)) : null,
    vip: dice.oneIn(6),
    level: dice.pick(levels),
    registered_at: momentAfter(today, -dice.between(70, 1400), dice.below(86_400)),
    ...(dice.oneIn(5) ? { payment_token: `tok_${dice.token(24)}` } : {}),
    ...(dice.oneIn(7) ? { device_id: `dev-${dice.token(16)}` } : {}),
  };
}

export function customerId(number: number): string {
  return `U${100_231 + number}`;
}

type Person = Pick<Customer, "name" | "phone" | "email" | "address" | "id_card">;

function personOf(dice: Dice, number: number): Person {
  const foreigner = foreignerOf(number);
  if (foreigner) return { ...foreigner, id_card: null };
  const generated = {
    name: chineseName(dice),
    phone: spelledPhone(dice, number),
    email: dice.oneIn(5) ? null : `${dice.token(dice.between(4, 10))}@${dice.pick(mailHosts)}`,
    address: chineseAddress(dice),
  };
  const documented = number === 0 || dice.oneIn(2);
  return { ...(number === 0 ? first : generated), id_card: documented ? residentId(dice) : null };
}

/** Every twentieth customer is one of the ten. */
function foreignerOf(number: number): Foreigner | undefined {
  return number % 20 === 9 ? foreigners[Math.floor(number / 20)] : undefined;
}
