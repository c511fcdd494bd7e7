/** Where each shape of a platform's is asked for through the shipped connectors of the world of shops, and how it lies in what comes back. */
import type { Json, JsonObject } from "../../src/kernel/index.ts";
import { customerPath } from "./shop.ts";

export interface Place {
  readonly name: string;
  readonly path: string;
  /** Keys to the record in the body. */
  readonly keys: readonly string[];
  readonly contract?: string;
  readonly purpose?: string;
}

const top = { name: "taobao", contract: "c-taobao", purpose: "logistics" };
export const places: Readonly<Record<string, Place>> = {
  shopify_customer: { name: "shopify", path: customerPath, keys: ["customer"] },
  shopify_order: { name: "shopify", path: "/admin/api/2026-07/orders/1.json", keys: ["order"] },
  woo_customer: { name: "woocommerce", path: "/wp-json/wc/v3/customers/1", keys: [] },
  woo_order: { name: "woocommerce", path: "/wp-json/wc/v3/orders/1", keys: [] },
  magento_customer: { name: "magento", path: "/rest/V1/customers/12", keys: [] },
  magento_order: { name: "magento", path: "/rest/V1/orders/12", keys: [] },
  zendesk_ticket: { name: "zendesk", path: "/api/v2/tickets/35436.json", keys: ["ticket"] },
  zendesk_user: { name: "zendesk", path: "/api/v2/users/35436.json", keys: ["user"] },
  chatwoot_conversation: { name: "chatwoot", path: "/api/v1/accounts/3/conversations/5", keys: [] },
  chatwoot_message: { name: "chatwoot", path: "/api/v1/accounts/3/conversations/5/messages", keys: ["payload", "[]"] },
  chatwoot_contact: { name: "chatwoot", path: "/api/v1/accounts/3/contacts/9", keys: ["payload"] },
  trade: { ...top, path: "/router/rest?method=taobao.trade.fullinfo.get&tid=1", keys: ["trade_fullinfo_get_response", "trade"] },
  refund: { ...top, path: "/router/rest?method=taobao.refund.get&refund_id=7", keys: ["refund_get_response", "refund"] },
};

/** As the platform sends it: TOP's lists stand in a form of their own. */
export function bodyFor({ keys, name }: Place, document: JsonObject): Json {
  const { orders } = document;
  const wrapped = name === "taobao" && orders !== undefined ? { ...document, orders: { order: orders } } : document;
  return keys.reduceRight<Json>((value, key) => (key === "[]" ? [value] : { [key]: value }), wrapped);
}

export function recordIn({ keys, name }: Place, body: Json): JsonObject {
  const record = keys.reduce<Json>((at, key) => (at as Record<string, Json>)[key === "[]" ? "0" : key] ?? null, body) as JsonObject;
  return name === "taobao" && record.orders !== undefined ? { ...record, orders: (record.orders as JsonObject).order ?? null } : record;
}
