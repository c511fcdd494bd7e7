/**
 * The demo's world: everything in it is generated, nothing is anybody's. The same day gives the same bytes, so documents and tests may quote it.
 * It only writes texts; the seed brings them in through the real commands' functions.
 */
import { parseDay } from "./calendar.ts";
import { type ContractPlan, contractPlans, contractText, type Merchant, merchants, operators, vendors } from "./contracts.ts";
import { type Customer, customerId, firstPhone, generateCustomer } from "./customers.ts";
import { generateOrder, type Order, orderId } from "./orders.ts";
import { createDice } from "./random.ts";
import { seatsText } from "./seats.ts";

export interface DemoContract {
  readonly id: string;
  readonly merchant: string;
  readonly vendor: string;
  /** YAML. */
  readonly contract: string;
  /** CSV: issuer, subject, role, name. */
  readonly seats: string;
  /** NDJSON; customers first, as an importer may, though need not. */
  readonly records: { readonly customer: string; readonly order: string };
}

export interface DemoWorld {
  readonly merchants: readonly Merchant[];
  readonly vendors: readonly { readonly id: string; readonly name: string; readonly admins: readonly string[] }[];
  readonly operators: readonly string[];
  readonly contracts: readonly DemoContract[];
}

const ordersPerCustomer = 3;

/** `today`: YYYY-MM-DD, the day of the first start. Throws a RangeError on another text. */
export function generateWorld({ today }: { readonly today: string }): DemoWorld {
  const day = parseDay(today);
  const contracts: DemoContract[] = [];
  let firstCustomer = 0;
  for (const plan of contractPlans) {
    contracts.push(generateContract(plan, firstCustomer, day));
    firstCustomer += plan.customers;
  }
  return { merchants, vendors, operators, contracts };
}

function generateContract(plan: ContractPlan, firstCustomer: number, today: number): DemoContract {
  const customers: Customer[] = [];
  const orders: Order[] = [];
  for (let number = firstCustomer; number < firstCustomer + plan.customers; number++) {
    const customer = generateCustomer(createDice(`customer ${number}`), number, today);
    customers.push(customer);
    for (let i = 0; i < ordersPerCustomer; i++) {
      const order = number * ordersPerCustomer + i;
      orders.push(generateOrder(createDice(`order ${order}`), order, customer, today));
    }
  }
  return {
    id: plan.id,
    merchant: plan.merchant,
    vendor: plan.vendor,
    contract: contractText(plan, today),
    seats: seatsText(plan.agents),
    records: { customer: lines(customers), order: lines(orders) },
  };
}

function lines(records: readonly (Customer | Order)[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

const [hangzhou, shenzhen, suzhou] = contractPlans;

/** What the demo's numbered commands name. */
export const demoHighlights = {
  contract: hangzhou.id,
  customer: customerId(0),
  /** As a caller would say it. */
  phone: `${firstPhone.slice(0, 3)} ${firstPhone.slice(3, 7)} ${firstPhone.slice(7)}`,
  /** That customer's. */
  order: orderId(0),
  otherContract: shenzhen.id,
  otherCustomer: customerId(hangzhou.customers),
  endedContract: suzhou.id,
  endedCustomer: customerId(hangzhou.customers + shenzhen.customers),
} as const;
