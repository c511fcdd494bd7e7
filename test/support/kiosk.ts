/** A contract whose agents ask a merchant's database: the kiosk's connector, of our own invention, and the policy of all of them. */
import type { Entry } from "../../src/audit/entry.ts";
import { type DatabaseConnector, parseConnector, settle } from "../../src/connectors/index.ts";
import { classNames } from "../../src/masking/index.ts";
import type { Source } from "../../src/policy/index.ts";
import { bringIntoForce, expectStatus } from "./agreement.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { type Merchant, merchantHost, openMerchant, readerPassword } from "./merchant-database.ts";
import { entriesOf } from "./purge-world.ts";

const policy = `resources:
  buyer:
    subject: id
    fields:
      id:    { class: plain }
      name:  { class: person_name }
      phone: { class: phone, search: true }
      mail:  { class: email, search: true }
      photo: { class: plain }
      spot:  { class: plain }
      level: { class: plain }
      "tags[]": { class: plain }
  sale:
    subject: { buyer: buyer }
    fields:
      id:              { class: plain }
      state:           { class: plain }
      total:           { class: plain }
      share:           { class: plain }
      paid_at:         { class: plain }
      receiver.name:   { class: person_name }
      receiver.mobile: { class: phone }
      memo:            { class: free_text }
      "lines[].line":  { class: plain }
      "lines[].sku":   { class: plain }
      "lines[].price": { class: plain }
  guest:
    subject: { buyer: phone }
    fields:
      phone: { class: phone }
  nw_customer:
    subject: id
    fields:
      company_name: { class: business_id }
      contact_name: { class: person_name }
      address:      { class: address }
      city:         { class: plain }
      country:      { class: plain }
      phone:        { class: phone, search: true }
  nw_order:
    subject: { nw_customer: customer_id }
    fields:
      order_id:     { class: plain }
      order_date:   { class: plain }
      shipped_date: { class: plain }
      freight:      { class: plain }
      ship_address: { class: address }
      ship_country: { class: plain }
      "items[].product_id": { class: plain }
      "items[].unit_price": { class: plain }
      "items[].quantity":   { class: plain }
  nw_employee:
    subject: id
    fields:
      last_name:  { class: person_name }
      home_phone: { class: phone }
roles:
  first_line:
    buyer: { id: reveal, name: mask, phone: mask, mail: mask, photo: reveal, spot: reveal, level: reveal, "tags[]": reveal }
    guest: { phone: mask }
    sale:
      { id: reveal, state: reveal, total: reveal, share: reveal, paid_at: reveal, receiver.name: mask, receiver.mobile: mask,
        "lines[].line": reveal, "lines[].sku": reveal, "lines[].price": reveal }
    nw_customer: { company_name: reveal, contact_name: mask, address: mask, city: reveal, country: reveal, phone: mask }
    nw_order:
      { order_id: reveal, order_date: reveal, shipped_date: reveal, freight: reveal, ship_address: mask, ship_country: reveal,
        "items[].product_id": reveal, "items[].unit_price": reveal, "items[].quantity": reveal }
  senior: { extends: first_line }
`;

export const kioskFile = `connector: kiosk
postgres:
  host: ${merchantHost}
  database: shop
purpose: after_sales
limits: { seconds: 1, bytes: 4096, records: 10 }
tables:
  buyers:
    from: kiosk.buyers
    key: id
    columns: [id, name, phone, mail, photo, spot, level, tags]
  sales:
    from: kiosk.sales
    key: id
    columns: [id, buyer, state, total, share, paid_at, receiver, memo, row]
    lists:
      lines: { from: kiosk.lines, by: sale, key: line, columns: [line, sku, price, supplier], records: 10 }
  slow: { from: kiosk.slow, key: id, columns: [id, name] }
  writing: { from: kiosk.writing, key: id, columns: [id, name] }
routes:
  - { get: "/buyers/{id}", table: buyers, resource: buyer, records: body.buyer }
  - get: /buyers
    table: buyers
    resource: buyer
    records: body.buyers[]
    parameters: { phone: { search: phone }, mail: { search: mail }, level: { filter: level, as: number }, name: { filter: name, as: id } }
  - { get: "/sales/{id}", table: sales, resource: sale }
  - get: /buyers/{id}/sales
    table: sales
    by: buyer
    resource: sale
    records: body[]
    parameters: { state: { filter: state, as: id }, limit: limit, after: after }
  - { get: "/phones/{id}/guests", table: buyers, by: phone, resource: guest }
  - { get: "/slow/{id}", table: slow, resource: buyer }
  - { get: "/writing/{id}", table: writing, resource: buyer }
`;

export interface KioskWorld {
  readonly merchant: Merchant;
  readonly gateway: Gateway;
  ask(path: string, name?: string, contract?: string): Promise<Response>;
  /** The body of an answer of 200. */
  read(path: string, name?: string, contract?: string): Promise<string>;
  /** By an owner; default: as the reader. */
  register(name: string, text: string, credential?: string, contract?: string): Promise<Response>;
  /** Of the contract's log. */
  entries(): Promise<Entry[]>;
  lastEntry(): Promise<Entry | undefined>;
  close(): Promise<void>;
}

export async function openKioskWorld(): Promise<KioskWorld> {
  const merchant = await openMerchant();
  const gateway = await createGateway({ edge: { databases: merchant.reach } });
  const ceiling = `{ ${classNames.map((name) => `${name}: reveal`).join(", ")} }`;
  await bringIntoForce(gateway, { policy, ceiling });
  const world: KioskWorld = {
    ...{ merchant, gateway },
    ask: (path, name = "kiosk", contract = "c-test") =>
      gateway.call("GET", `/v1/contracts/${contract}/upstream/${name}${path}`, { as: "agent-1" }),
    read: async (...asked) => (await expectStatus(world.ask(...asked), 200)).text(),
    register: (name, text, credential = `reader:${readerPassword}`, contract = "c-test") => {
      const body = { connector: { name: `${name}.yaml`, text: signed(merchant, text) }, credential };
      return gateway.call("PUT", `/v1/contracts/${contract}/connectors/${name}`, { as: "owner-1", body });
    },
    entries: async () => (await entriesOf(gateway.database, "c-test")) as unknown as Entry[],
    lastEntry: async () => (await world.entries()).at(-1),
    async close() {
      await gateway.close();
      await merchant.remove();
    },
  };
  await expectStatus(world.register("kiosk", kioskFile), 200);
  return world;
}

/** With whoever signs the server's certificate. */
export function signed({ certificate }: Pick<Merchant, "certificate">, text: string): string {
  const lines = certificate?.trim().split("\n") ?? [];
  return lines.length === 0
    ? text
    : text.replace("database: shop\n", `database: shop\n  ca: |\n${lines.map((line) => `    ${line}\n`).join("")}`);
}

export function compiled(text: string): { source: Source; connector: DatabaseConnector } {
  const parsed = parseConnector(text, "kiosk.yaml");
  const settled = parsed.ok ? settle(parsed.value, {}) : parsed;
  if (!parsed.ok || !settled.ok || !("tables" in settled.value)) throw new Error("not the connector of a database");
  return { source: parsed.value.source, connector: settled.value };
}
