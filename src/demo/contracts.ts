/**
 * The demo's parties, and their three contracts (委托处理协议) as the files an owner would write.
 */
import { dayAfter } from "./calendar.ts";

export interface Merchant {
  readonly id: string;
  readonly name: string;
  /** Subjects of the built-in issuer. */
  readonly owners: readonly string[];
  readonly officers: readonly string[];
}

export const merchants: readonly Merchant[] = [
  { id: "m-linxi", name: "林溪生活", owners: ["owner-1", "owner-2"], officers: ["officer"] },
  { id: "m-beichen", name: "北辰优选", owners: ["owner-b1", "owner-b2"], officers: ["officer-b"] },
];

export const vendors = [
  { id: "v-yunfu", name: "云服客服", admins: ["vendor-admin"] },
  { id: "v-haitong", name: "海通服务", admins: ["vendor-admin-h"] },
] as const;

export const operators = ["operator"] as const;

export interface ContractPlan {
  readonly id: string;
  readonly merchant: string;
  readonly vendor: string;
  readonly about: string;
  /** Days from today. */
  readonly start: number;
  readonly end: number;
  readonly purposes: readonly string[];
  readonly purgeAfter: string;
  readonly customers: number;
  /** Numbers of the agents with a seat. */
  readonly agents: readonly number[];
}

export const contractPlans = [
  {
    id: "c-hangzhou-cs",
    merchant: "m-linxi",
    vendor: "v-yunfu",
    about: "售后客服，杭州",
    start: -60,
    end: 300,
    purposes: ["after_sales"],
    purgeAfter: "7d",
    customers: 120,
    agents: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  },
  {
    id: "c-shenzhen-cs",
    merchant: "m-beichen",
    vendor: "v-haitong",
    about: "售后与物流客服，深圳",
    start: -90,
    end: 275,
    purposes: ["after_sales", "logistics"],
    purgeAfter: "30d",
    customers: 60,
    agents: [13, 14, 15, 16, 17, 18],
  },
  // Active as written, because a contract that has ended cannot be activated: the seed gives it its past end.
  {
    id: "c-suzhou-peak",
    merchant: "m-linxi",
    vendor: "v-haitong",
    about: "大促临时客服，苏州",
    start: -45,
    end: 15,
    purposes: ["after_sales", "logistics"],
    purgeAfter: "7d",
    customers: 20,
    agents: [19, 20, 1],
  },
] as const satisfies readonly ContractPlan[];

/** A contract file; `today` in milliseconds. */
export function contractText(plan: ContractPlan, today: number): string {
  return `# ${plan.about}
contract: ${plan.id}
parties:  { merchant: ${plan.merchant}, vendor: ${plan.vendor}, subprocessors: [] }
term:     { start: ${dayAfter(today, plan.start)}, end: ${dayAfter(today, plan.end)}, zone: Asia/Shanghai, purge_after: ${plan.purgeAfter} }
purposes: { ${plan.purposes.map((purpose) => `${purpose}: {}`).join(", ")} }
ceiling:  { person_name: mask, address: mask, phone: reveal, email: mask, free_text: mask, resident_id: withhold, plain: reveal }
policy:   cs-standard
roles:    [first_line, senior]
purge:    { cooling: 0h, backup_horizon: 30d }
`;
}
