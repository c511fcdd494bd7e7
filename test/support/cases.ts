/** A small policy with a case file for it, whose lines tests replace. */
import { type CaseResult, type ContractDocument, describeProblem, parseCases, parsePolicy, runCases } from "../../src/policy/index.ts";

export const policy = `resources:
  order:
    subject: id
    fields:
      status: { class: plain }
      phone: { class: phone, search: true }
      "items[].sku": { class: plain }
      "phones{}.number": { class: phone }
      "payload$.receiver.name": { class: person_name }
      address: { class: address }
roles:
  agent:
    order:
      rows: 'record.status != "closed"'
      status: reveal
      phone: { reveal: { when: request.hour < 18 && request.ticket != "" }, else: mask }
      "items[].sku": reveal
      "phones{}.number": mask
      "payload$.receiver.name": mask
  lead:
    extends: agent
    order:
      address: { reveal: { purposes: [shipping], quota: 20/day, reason: required, seconds: 30 } }
`;

export const contract = `    contract: c-1
    parties:  { merchant: m-1, vendor: v-1 }
    term:     { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
    purposes: { shipping: {}, support: {} }
    hours:    { from: "09:00", to: "21:00" }
    networks: { office: [203.0.113.0/24] }
    ceiling:  { plain: reveal, phone: reveal, person_name: reveal, address: reveal }
    policy:   p
    roles:    [agent, lead]
`;

export const record = `{ status: open, phone: "14200001234", items: [{ sku: A1 }, { sku: B2 }], phones: { 妈妈: { number: "14200005678" } }, payload: '{"receiver":{"name":"林晓溪"}}', address: 浙江省杭州市西湖区文三路899号 }`;

/** A case file with one case, whose usual lines can be replaced. */
export function casesText(expected: string, changes: Readonly<Record<string, string>> = {}): string {
  const lines = {
    agent: "{ role: agent }",
    purpose: "support",
    now: "2026-03-02T10:00",
    address: "203.0.113.7",
    type: "order",
    record,
    ...changes,
  };
  const written = Object.entries(lines).flatMap(([key, value]) => (value === "" ? [] : [`    ${key}: ${value}\n`]));
  return `contracts:\n  usual:\n${contract}cases:\n  - name: a promise\n${written.join("")}    expect: ${expected}\n`;
}

export function runText(text: string, policyText = policy): CaseResult[] {
  const parsed = parsePolicy(policyText, "p.yaml");
  if (!parsed.ok) throw new Error(parsed.refusal.map(describeProblem).join("\n"));
  const cases = parseCases(text, "p.cases.yaml", parsed.value);
  if (!cases.ok) throw new Error(cases.refusal.map(describeProblem).join("\n"));
  const contracts = Object.fromEntries(
    Object.entries(cases.value.contracts).filter((entry): entry is [string, ContractDocument] => typeof entry[1] !== "string"),
  );
  const results = runCases(cases.value, parsed.value, contracts, "p");
  if (!results.ok) throw new Error(results.refusal.map(describeProblem).join("\n"));
  return results.value;
}

export const everything = `
      status: { reveal: open }
      phone: { mask: "142****1234" }
      "items[].sku": { reveal: [A1, B2] }
      "phones{}.number": { mask: ["142****5678"] }
      "payload$.receiver.name": { mask: 林** }`;
