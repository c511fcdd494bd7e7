/** A policy of one resource and two roles, and a contract for it: as little as tests of the language need. */
import type { Result } from "../../src/kernel/index.ts";
import type { Problem } from "../../src/policy/index.ts";

export const policy = `resources:
  customer:
    subject: id
    fields:
      phone: { class: phone }
      address: { class: address }
      status: { class: plain }
      "items[].sku": { class: plain }
roles:
  first_line:
    customer:
      phone: mask
      address: mask
      status: reveal
  senior:
    extends: first_line
    customer:
      phone: reveal
`;

export const contract = `contract: c-1
parties:  { merchant: m-1, vendor: v-1 }
term:     { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
purposes: { after_sales: {} }
ceiling:  { phone: reveal, address: mask, plain: reveal }
policy:   cs
roles:    [first_line, senior]
`;

export function problemsOf(parsed: Result<unknown, Problem[]>): Problem[] {
  return parsed.ok ? [] : parsed.refusal;
}
