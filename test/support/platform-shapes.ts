/**
 * Records in the shapes of shops' and help desks' APIs with a canary at every path where personal data may stand: the platforms' own sample bodies, and
 * one that holds nothing but the candidates. What the samples say is not looked at; whatever stands at a candidate path is replaced.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../src/kernel/index.ts";
import { documented, leafPaths, topParameters, valueIn } from "./documented-bodies.ts";
import { hasShared, readShared } from "./shared.ts";

export interface PlatformShape {
  /** In the list of candidates. */
  readonly list: string;
  readonly policy: string;
  readonly type: string;
  /** What has to stay readable; set in every document. */
  readonly readable: Readonly<Record<string, Json>>;
  readonly samples: () => JsonObject[];
  /** Where there is no list: every leaf of these is a candidate, but what has to stay readable. */
  readonly leaves?: () => Json[];
}

const candidatesFile = "apis/pii-paths.heuristic.json";
export const hasShapes = hasShared(candidatesFile);

const instants = { created_at: "2026-01-01T08:00:00Z", updated_at: "2026-01-02T08:00:00Z", due_at: "2026-01-03T08:00:00Z" };

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
  {
    list: "magento.customer",
    policy: "western-shop",
    type: "magento_customer",
    readable: { id: 12, created_at: "2026-05-01 08:00:00" },
    samples: () => [],
  },
  {
    list: "magento.order",
    policy: "western-shop",
    type: "magento_order",
    readable: {
      entity_id: 12,
      increment_id: "000000012",
      status: "processing",
      grand_total: 65.27,
      "items[].sku": "MUG-11",
      "items[].row_total": 36,
    },
    samples: () => [],
  },
  {
    list: "zendesk.ticket",
    policy: "western-shop",
    type: "zendesk_ticket",
    readable: {
      ...{ id: 35436, type: "incident", status: "open", priority: "high", requester_id: 20978392, has_incidents: false },
      ...instants,
    },
    samples: () => [],
    leaves: () => [valueIn("apis/zendesk/examples/zendesk-support-ticket-example.json", [])],
  },
  {
    list: "zendesk.user",
    policy: "western-shop",
    type: "zendesk_user",
    readable: { id: 35436, role: "end-user", verified: true, created_at: instants.created_at },
    samples: () => [],
    leaves: () => [valueIn("apis/zendesk/examples/zendesk-support-user-example.json", [])],
  },
  {
    list: "chatwoot.conversation",
    policy: "western-shop",
    type: "chatwoot_conversation",
    readable: {
      ...{
        id: 5,
        status: "open",
        priority: "high",
        inbox_id: 2,
        created_at: 1_767_225_600,
        unread_count: 1,
        last_activity_at: 1_767_225_700,
      },
      ...{ waiting_since: 1_767_225_650, "meta.channel": "Channel::WebWidget", "meta.sender.id": 9 },
      ...{ "messages[].message_type": 0, "messages[].created_at": 1_767_225_600 },
    },
    samples: () => [],
    leaves: () => [documented("conversation_show"), { meta: { sender: documented("contact"), channel: "" } }],
  },
  {
    list: "chatwoot.message",
    policy: "western-shop",
    type: "chatwoot_message",
    readable: { id: 5, message_type: 0, private: false, status: "sent", created_at: 1_767_225_600 },
    samples: () => [],
    leaves: () => [documented("message")],
  },
  {
    list: "chatwoot.contact",
    policy: "western-shop",
    type: "chatwoot_contact",
    readable: { id: 9, blocked: false, created_at: 1_767_225_600, last_activity_at: 1_767_225_700 },
    samples: () => [],
    leaves: () => [documented("contact_list_item")],
  },
  {
    list: "taobao.refund",
    policy: "cs-standard",
    type: "refund",
    readable: {
      ...{ refund_id: "7", tid: 2_188_082_354, oid: 2_188_082_355, status: "SUCCESS", order_status: "TRADE_CLOSED", refund_fee: "18.00" },
      ...{
        good_status: "BUYER_RECEIVED",
        has_good_return: true,
        refund_phase: "aftersale",
        dispute_type: "REFUND",
        num: 1,
        price: "18.00",
      },
      ...{ created: "2026-01-01 08:00:00", modified: "2026-01-02 08:00:00", good_return_time: "2026-01-02 08:00:00", title: "瓷杯" },
      ...{ outer_id: "SLK-QH-90", total_fee: "18.00", payment: "0.00" },
    },
    samples: () => [],
    leaves: () => [topParameters("apis/taobao/tbrefund/taobao_refund_get.json")],
  },
];

/** A record is the trade itself. */
export function candidatePaths({ list, leaves, readable }: PlatformShape): string[] {
  if (leaves) return [...new Set(leaves().flatMap((value) => leafPaths(value)))].filter((path) => !Object.hasOwn(readable, path)).sort();
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
