/** Northwind's customers and orders, served by a page of YAML, with its employees withheld. */
import { beforeAll, expect, it } from "vitest";
import { expectStatus } from "./agreement.ts";
import type { KioskWorld } from "./kiosk.ts";
import { createLeakScanner } from "./leaks.ts";
import { merchantHost } from "./merchant-database.ts";

const northwindFile = `connector: northwind
postgres:
  host: ${merchantHost}
  database: shop
purpose: after_sales
tables:
  customers:
    from: customers
    key: customer_id
    columns: [customer_id, company_name, contact_name, address, city, country, phone]
  orders:
    from: orders
    key: order_id
    columns: [order_id, customer_id, employee_id, order_date, shipped_date, freight, ship_address, ship_country]
    lists:
      items: { from: order_details, by: order_id, key: product_id, columns: [product_id, unit_price, quantity] }
  employees:
    from: employees
    key: employee_id
    columns: [employee_id, last_name, home_phone, photo, notes]
routes:
  - { get: "/customers/{id}", table: customers, resource: nw_customer, records: body.customer }
  - { get: /customers, table: customers, resource: nw_customer, records: "body.customers[]", parameters: { phone: { search: phone } } }
  - { get: "/orders/{id}", table: orders, resource: nw_order, records: body.order }
  - { get: "/customers/{id}/orders", table: orders, by: customer_id, resource: nw_order, records: "body.orders[]", parameters: { limit: limit, after: after } }
  - { get: "/employees/{id}", table: employees, resource: nw_employee }
`;

export function promiseNorthwind(world: () => KioskWorld): void {
  beforeAll(async () => {
    expect(northwindFile.split("\n").length).toBeLessThan(60);
    await expectStatus(world().register("northwind", northwindFile), 200);
  });

  it("gives customers by their key and by phone, masked", async () => {
    const { customer } = JSON.parse(await world().read("/customers/ALFKI", "northwind"));
    const [[name, phone] = []] = await world().merchant.admin.query(
      "select contact_name, phone, now() from customers where customer_id = 'ALFKI'",
    );
    expect(customer).toMatchObject({ city: "Berlin", country: "Germany" });
    expect(customer.contact_name).not.toBe(name);
    expect(customer.customer_id).toBeUndefined();
    const { customers } = JSON.parse(await world().read(`/customers?phone=${encodeURIComponent(String(phone))}`, "northwind"));
    expect(customers).toEqual([customer]);
  });

  it("gives orders with their items as they are, and a customer's orders in pages", async () => {
    const [[freight, items] = []] = await world().merchant.admin.query(
      "select freight::text, (select count(*)::int from order_details d where d.order_id = o.order_id), now() from orders o where order_id = 10248",
    );
    const text = await world().read("/orders/10248", "northwind");
    expect(text).toContain(`"freight":${freight},`);
    expect(JSON.parse(text).order.items).toHaveLength(Number(items));
    const pages: number[][] = [];
    for (let after = "0"; pages.at(-1)?.length !== 0 && pages.length < 20; after = String(pages.at(-1)?.at(-1))) {
      const { orders } = JSON.parse(await world().read(`/customers/SAVEA/orders?limit=10&after=${after}`, "northwind"));
      pages.push(orders.map(({ order_id }: { order_id: number }) => order_id));
    }
    const all = await world().merchant.admin.query("select order_id, now() from orders where customer_id = 'SAVEA' order by order_id");
    expect(pages.flat()).toEqual(all.map(([id]) => id));
  });

  it("gives no employee to who is not to see any, nor whose order it was, nor any text of theirs in any encoding", async () => {
    const columns = "last_name || ' ' || first_name, home_phone, notes, photo_path, address";
    const employees = await world().merchant.admin.query(`select ${columns}, now() from employees`);
    const customers = await world().merchant.admin.query("select contact_name, phone, fax, address, now() from customers");
    const secrets = [...employees, ...customers].flatMap((row) =>
      row
        .slice(0, -1)
        .filter((value) => value !== null)
        .map(String),
    );
    const scanner = createLeakScanner(secrets.filter((value) => value.length >= 8));
    expect(JSON.parse(await world().read("/employees/1", "northwind"))).toEqual({ home_phone: null, last_name: null });
    for (const path of ["/customers/ALFKI", "/orders/10248", "/customers/SAVEA/orders?limit=50", "/customers/ANATR/orders"]) {
      const text = await world().read(path, "northwind");
      expect(scanner.scan(text)).toEqual([]);
      expect(text).not.toContain("employee");
    }
  });
}
