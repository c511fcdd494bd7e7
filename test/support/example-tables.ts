/** What policies/connectors/postgres.yaml is written for. */
export const exampleTables = `
create schema crm;
create schema sales;
create table crm.customers (id text primary key, name text, phone text, email text, address text, note text, vip bool, level text);
create table sales.orders (
  order_no text primary key, customer_id text references crm.customers, status text, amount numeric(12, 2), currency text, receiver_name text,
  receiver_mobile text, receiver_address text, buyer_message text, tracking_no text, carrier text, paid_at timestamptz);
create view sales.orders_for_service as
  select order_no, customer_id, status, amount, currency,
    jsonb_build_object('name', receiver_name, 'mobile', receiver_mobile, 'address', receiver_address) as receiver,
    buyer_message, tracking_no, carrier, paid_at from sales.orders;
create table sales.order_items (order_no text references sales.orders, line int, title text, sku text, quantity int, price numeric(12, 2));
insert into crm.customers values ('c-1', '欧阳明', '13900138000', 'ou.yang@shop.example', null, null, true, 'gold');
insert into sales.orders values ('A-7', 'c-1', 'paid', 259.90, 'CNY', '欧阳明', '13900138000', null, null, null, null, '2026-07-01T00:00Z');
insert into sales.order_items values ('A-7', 1, 'Mug', 'S-1', 2, 129.95);
grant usage on schema crm, sales to reader;
grant select on all tables in schema crm, sales to reader;
`;
