/**
 * Records in the shapes of Shopify, WooCommerce and Taobao with a canary at every path where personal data may stand: the platforms' own sample bodies, and
 * one that holds nothing but the candidates. What the samples say is not looked at; whatever stands at a candidate path is replaced.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../src/kernel/index.ts";
import { hasShared, readShared } from "./shared.ts";

export interface PlatformShape {
  /** In the list of candidates. */
  readonly list: string;
  readonly policy: string;
  readonly type: string;
  /** What has to stay readable; set in every document. */
  readonly readable: Readonly<Record<string, Json>>;
  readonly samples: () => JsonObject[];
}

const candidatesFile = "apis/pii-paths.heuristic.json";
export const hasShapes = hasShared(candidatesFile);

export const platformShapes: readonly PlatformShape[] = [
  {
    list: "shopify.customer",
    policy: "western-shop",
    type: "shopify_customer",
    readable: { orders_count: 3, total_spent: "214.50", currency: "USD" },
    samples: () => bodies("apis/shopify/rest-2026-07/customer.json", ["customer", "customers"]),
  },
  {
    list: "shopify.order",
    policy: "western-shop",
    type: "shopify_order",
    readable: {
      order_number: 1017,
      closed_at: null,
      financial_status: "paid",
      fulfillment_status: "fulfilled",
      total_price: "65.27",
      "line_items[].sku": "MUG-11",
      "line_items[].price": "18.00",
      "refunds[].transactions[].amount": "9.00",
    },
    samples: () => bodies("apis/shopify/rest-2026-07/order.json", ["order", "orders"]),
  },
  {
    list: "woocommerce.customer",
    policy: "western-shop",
    type: "woo_customer",
    readable: { is_paying_customer: true, date_created: "2024-05-01T08:00:00" },
    samples: () => bodies("apis/woocommerce/customers.json", []),
  },
  {
    list: "woocommerce.order",
    policy: "western-shop",
    type: "woo_order",
    readable: { number: "727", status: "processing", total: "46.00", "line_items[].sku": "MUG-11", "line_items[].total": "36.00" },
    samples: () => bodies("apis/woocommerce/orders.json", []),
  },
  {
    list: "taobao.trade.fullinfo",
    policy: "cs-standard",
    type: "trade",
    readable: {
      tid: "2188082354079975123",
      status: "TRADE_FINISHED",
      payment: "359.00",
      total_fee: "369.00",
      "orders[].outer_sku_id": "SLK-QH-90",
      "orders[].status": "TRADE_FINISHED",
      "orders[].payment": "359.00",
    },
    // Its documentation has no bodies, only names.
    samples: () => [],
  },
];

/** A record is the trade itself. */
export function candidatePaths({ list }: PlatformShape): string[] {
  const lists = JSON.parse(readShared(candidatesFile)) as Record<string, { candidate_pii: string[] }>;
  return (lists[list]?.candidate_pii ?? []).map((path) => path.replace(/^trade\./, "")).sort();
}

/** What stands at a path, and the texts of it that must not leave. */
export interface Canary {
  readonly value: Json;
  readonly secrets: readonly string[];
}

/** By their place in the list, so that no two paths have one canary. */
export const canaryKinds: Readonly<Record<string, (place: number, path: string) => Canary>> = {
  text: (place) => whole(`kanarie-zq7w-${four(place)}`),
  digits: (place) => whole(`1396035${four(place)}`),
  number: (place) => ({ value: 13_960_350_000 + place, secrets: [`1396035${four(place)}`] }),
  "what belongs there": (place, path) => likely(place, path.slice(path.lastIndexOf(".") + 1)),
};

function likely(place: number, key: string): Canary {
  if (/mail/.test(key)) return whole(`kanarie-zq7w-${four(place)}@example.com`);
  if (/phone|mobile|tel/.test(key)) return whole(`+1415555${four(place)}`);
  if (/address|city|state|prov|district|town|area|zip|country/.test(key)) {
    const street = `金丝雀路${four(place)}号`;
    return { value: `浙江省杭州市西湖区${street}`, secrets: [street] };
  }
  // Of eight characters, so that it counts wherever it stands.
  if (/name|nick|contact/.test(key)) return whole(`林晓溪金丝雀${String.fromCodePoint(0x5000 + 2 * place, 0x5001 + 2 * place)}`);
  return whole(`kanarie-zq7w-${four(place)}`);
}

function whole(value: string): Canary {
  return { value, secrets: [value] };
}

function four(place: number): string {
  return String(place).padStart(4, "0");
}

/** Documents that together hold every canary. Paths where both a value and something inside it may stand get a document more, with the value. */
export function filledDocuments(shape: PlatformShape, canaries: ReadonlyMap<string, Canary>): JsonObject[] {
  const inner = [...canaries].filter(([path]) => ![...canaries.keys()].some((other) => other.startsWith(`${path}.`)));
  const outer = [...canaries].filter(([path]) => ![...canaries.keys()].some((other) => path.startsWith(`${other}.`)));
  return [...shape.samples(), {}].flatMap((body) => [fill(body, inner, shape.readable), fill(body, outer, shape.readable)]);
}

function fill(body: JsonObject, canaries: readonly (readonly [string, Canary])[], readable: PlatformShape["readable"]): JsonObject {
  let filled: Json = body;
  for (const [path, { value }] of canaries) filled = setAt(filled, stepsOf(path), value);
  for (const [path, value] of Object.entries(readable)) filled = setAt(filled, stepsOf(path), value);
  return isJsonObject(filled) ? filled : {};
}

function stepsOf(path: string): string[] {
  return path.split(".").flatMap((part) => (part.endsWith("[]") ? [part.slice(0, -2), "[]"] : [part]));
}

/** In every element of a list; what is missing on the way is made. */
function setAt(at: Json | undefined, [step, ...rest]: readonly string[], value: Json): Json {
  if (step === undefined) return value;
  if (step === "[]") return (at !== undefined && isJsonArray(at) && at.length > 0 ? at : [null]).map((item) => setAt(item, rest, value));
  const object = at !== undefined && isJsonObject(at) ? at : {};
  return { ...object, [step]: setAt(object[step], rest, value) };
}

/** With a key and a value more in every object, which no policy can have named. */
export function withStrangers(value: Json, key: string, stranger: string): Json {
  if (isJsonArray(value)) return value.map((item) => withStrangers(item, key, stranger));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withStrangers(member, key, stranger)] as const);
  return { ...Object.fromEntries(members), [key]: stranger };
}

/** Keys and values, decoded. */
export function textsOf(value: Json): string[] {
  if (isJsonArray(value)) return value.flatMap(textsOf);
  if (isJsonObject(value)) return Object.entries(value).flatMap(([key, member]) => [key, ...textsOf(member)]);
  return [String(value)];
}

/** Bodies of the answers in a file of samples, alone or in lists, under one of `keys` where there are any. */
function bodies(file: string, keys: readonly string[]): JsonObject[] {
  const samples = JSON.parse(readShared(file)) as { readonly response?: Json }[];
  return samples.flatMap(({ response = null }) => {
    const held = keys.length === 0 ? [response] : isJsonObject(response) ? keys.map((key) => response[key] ?? null) : [];
    return held.flatMap((body) => (isJsonArray(body) ? body : [body])).filter(isJsonObject);
  });
}
