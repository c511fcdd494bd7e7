/**
 * Their orders, three to a customer: nested items, a receiver who is not always the buyer, messages and memos in which people quote numbers.
 */
import { chineseAddress } from "./addresses.ts";
import { momentAfter } from "./calendar.ts";
import type { Customer } from "./customers.ts";
import { chineseName } from "./names.ts";
import { mobile, spelledPhone } from "./numbers.ts";
import type { Dice } from "./random.ts";

export interface Order {
  readonly id: string;
  readonly order_no: string;
  readonly customer_id: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly items: readonly { readonly title: string; readonly sku: string; readonly quantity: number; readonly price: number }[];
  readonly receiver: { readonly name: string; readonly mobile: string; readonly address: Customer["address"] };
  readonly buyer_message: string | null;
  readonly seller_memo: string | null;
  readonly tracking_no: string | null;
  readonly carrier: string | null;
  readonly paid_at: string | null;
  readonly payment_token?: string;
  readonly device_id?: string;
}

const goods = [
  ["桂花龙井茶 250g 罐装", "TEA-GH-250", 128],
  ["真丝围巾 90×90 青花", "SLK-QH-90", 369],
  ["不锈钢保温杯 500ml", "CUP-SS-500", 89.9],
  ["儿童防晒衣 UPF50+ 粉 130码", "KID-SUN-130P", 159],
  ["手工竹编收纳筐 三件套", "BAM-BOX-3", 76.5],
  ["蓝牙耳机 降噪版", "EAR-BT-NC", 299],
  ["有机小米 2.5kg", "RICE-MI-25", 45.8],
  ["羊毛床褥 1.8m", "BED-WOOL-18", 899],
  ["陶瓷手冲咖啡壶", "POT-CER-01", 188],
  ["Travel adapter, 5 ports", "ADP-5P", 119],
] as const;
const carriers = [
  ["顺丰速运", "SF"],
  ["圆通速递", "YT"],
  ["中通快递", "ZT"],
  ["京东物流", "JD"],
] as const;
const statuses = ["pending", "paid", "shipped", "delivered", "delivered", "delivered", "refunded"];
const messages = [
  () => "麻烦尽快发货，周末要用，谢谢",
  () => "不要放驿站，送货上门",
  (phone: string) => `送之前打我电话${phone}，门禁要刷卡`,
  (phone: string) => `收件人换成我妈妈，她的手机是 ${phone.slice(0, 3)}-${phone.slice(3, 7)}-${phone.slice(7)}`,
  (phone: string) => `电话幺${phone.slice(1)}，别打错啦😂`,
];
const memos = [
  () => "已与客户沟通延迟发货，客户同意",
  () => "补发赠品一份，随单寄出",
  (phone: string) => `客户来电改地址，回电 ${phone}`,
  (phone: string) => `拒收退回，联系人${phone}，待退款`,
];

/** `number`: counts over the whole world from 0. */
export function generateOrder(dice: Dice, number: number, customer: Customer, today: number): Order {
  const status = dice.pick(statuses);
  const sent = status === "shipped" || status === "delivered";
  const [carrier, prefix] = dice.pick(carriers);
  const daysAgo = dice.between(1, 60);
  const items = generateItems(dice);
  const cents = items.reduce((total, { price, quantity }) => total + Math.round(price * 100) * quantity, 0);
  const quoted = mobile(dice, 200_000 + number);
  return {
    id: orderId(number),
    order_no: momentAfter(today, -daysAgo, 0).slice(0, 10).replaceAll("-", "") + String(number).padStart(6, "0"),
    customer_id: customer.id,
    status,
    amount: cents / 100,
    currency: "CNY",
    items,
    receiver: receiverOf(dice, number, customer),
    buyer_message: dice.oneIn(3) ? dice.pick(messages)(quoted) : null,
    seller_memo: dice.oneIn(4) ? dice.pick(memos)(quoted) : null,
    tracking_no: sent ? `${prefix}${dice.between(1, 9)}${dice.digits(12)}` : null,
    carrier: sent ? carrier : null,
    paid_at: status === "pending" ? null : momentAfter(today, -daysAgo, dice.below(86_400)),
    ...(dice.oneIn(6) ? { payment_token: `tok_${dice.token(24)}` } : {}),
    ...(dice.oneIn(9) ? { device_id: `dev-${dice.token(16)}` } : {}),
  };
}

export function orderId(number: number): string {
  return `#W${2_611_340 + number}`;
}

function generateItems(dice: Dice): Order["items"] {
  return Array.from({ length: dice.between(1, 4) }, () => {
    const [title, sku, price] = dice.pick(goods);
    return { title, sku, quantity: dice.between(1, 3), price };
  });
}

/** One in five is a present to somebody else. */
function receiverOf(dice: Dice, number: number, customer: Customer): Order["receiver"] {
  if (!dice.oneIn(5)) return { name: customer.name, mobile: customer.phone, address: customer.address };
  return { name: chineseName(dice), mobile: spelledPhone(dice, 300_000 + number), address: chineseAddress(dice) };
}
