/** Bodies in the shapes of Shopify's orders and Taobao's trades, of nobody: what the shipped policies name, and a good deal that they do not. */
import { createDice } from "../../src/demo/random.ts";

const orderBytes = 5_000;
const tradeFields = 600;

export function orderBody(): Buffer {
  const dice = createDice("bench order");
  const address = () => ({
    ...{ first_name: dice.token(6), last_name: dice.token(8), name: dice.token(15), phone: `+1415${dice.digits(7)}` },
    ...{
      address1: `${dice.digits(3)} ${dice.token(9)} Street`,
      address2: null,
      city: dice.token(8),
      province: "Colorado",
      zip: dice.digits(5),
      country: "United States",
    },
    ...{ latitude: 39.7, longitude: -104.9, company: null, country_code: "US" },
  });
  const line = (number: number) => ({
    ...{
      id: 466157049 + number,
      sku: `MUG-${number}`,
      title: "Mug",
      name: `Mug - for ${dice.token(6)}`,
      quantity: 2,
      price: "18.00",
      total_discount: "0.00",
    },
    ...{
      fulfillment_status: "fulfilled",
      vendor: dice.token(8),
      grams: 200,
      taxable: true,
      gift_card: false,
      properties: [{ name: dice.token(6), value: dice.token(12) }],
    },
  });
  const order = {
    ...{
      id: 450789469,
      order_number: 1017,
      name: "#1017",
      created_at: "2026-11-20T08:30:00Z",
      closed_at: null,
      cancelled_at: null,
      cancel_reason: null,
    },
    ...{
      financial_status: "paid",
      fulfillment_status: "fulfilled",
      currency: "USD",
      subtotal_price: "54.00",
      total_tax: "5.27",
      total_price: "65.27",
      total_discounts: "0.00",
    },
    ...{
      email: `${dice.token(8)}@mail.example`,
      contact_email: `${dice.token(8)}@mail.example`,
      phone: `+1415${dice.digits(7)}`,
      note: dice.token(40),
    },
    customer: { id: 207119551, email: `${dice.token(8)}@mail.example`, first_name: dice.token(6), default_address: address() },
    ...{ billing_address: address(), shipping_address: address(), line_items: [1, 2, 3].map(line) },
    fulfillments: [
      {
        status: "success",
        shipment_status: "delivered",
        created_at: "2026-11-21T08:30:00Z",
        tracking_company: "DHL",
        tracking_number: dice.digits(12),
      },
    ],
    refunds: [{ created_at: "2026-11-23T08:30:00Z", note: dice.token(20), transactions: [{ amount: "9.00", status: "success" }] }],
    client_details: { browser_ip: "198.51.100.7", user_agent: dice.token(80), session_hash: dice.token(32) },
  };
  const missing = orderBytes - JSON.stringify({ order }).length - ',"landing_site":""'.length;
  return Buffer.from(JSON.stringify({ order: { ...order, landing_site: dice.token(missing) } }));
}

export function tradeBody(): Buffer {
  const dice = createDice("bench trade");
  const known = {
    ...{
      tid: 2188082354079,
      status: "TRADE_FINISHED",
      type: "fixed",
      created: "2026-11-20 08:30:00",
      pay_time: "2026-11-20 08:31:00",
      num: 2,
      price: "18.00",
    },
    ...{
      payment: "359.00",
      total_fee: "369.00",
      post_fee: "0.00",
      discount_fee: "10.00",
      shipping_type: "express",
      buyer_nick: dice.token(8),
    },
    ...{
      receiver_name: dice.token(6),
      receiver_mobile: `138${dice.digits(8)}`,
      receiver_state: "浙江省",
      receiver_city: "杭州市",
      receiver_address: dice.token(20),
    },
  };
  const order = (number: number) => ({
    oid: number,
    outer_sku_id: `SLK-${number}`,
    status: "TRADE_FINISHED",
    payment: "179.50",
    num: 1,
    title: dice.token(12),
  });
  const orders = [1, 2, 3, 4].map(order);
  const unknown = Array.from({ length: tradeFields - 18 - 24 }, (_, number) => [`field_${number}`, dice.token(10)] as const);
  const groups = Array.from({ length: 60 }, (_, at) => [`group_${at}`, Object.fromEntries(unknown.slice(at * 10, at * 10 + 10))] as const);
  const trade = { ...known, orders: { order: orders }, ...Object.fromEntries(groups) };
  return Buffer.from(JSON.stringify({ trade_fullinfo_get_response: { trade } }));
}
