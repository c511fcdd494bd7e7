/** Two files that `policy check` has nothing to say of, and the shape of the examples that are edits of them. */
export interface Example {
  readonly what: string;
  /** First occurrences, one after the other. */
  readonly edits: readonly Edit[];
  /** In the other file. */
  readonly beside?: readonly Edit[];
  /** All that is said, to the letter. */
  readonly said: readonly string[];
}

export type Edit = readonly [before: string, after: string];

export type Examples = Readonly<Record<string, readonly Example[]>>;

export const policyText = `resources:
  customer:
    subject: id
    fields:
      name: { class: person_name }
      phone: { class: phone, search: true }
      birth_date: { class: birth_date }
      age_band: { derive: { age_band: birth_date } }
      status: { class: plain }
      "items[].sku": { class: plain }
roles:
  first_line:
    customer:
      name: mask
      phone: mask
      age_band: reveal
      status: reveal
      "items[].sku": reveal
  senior:
    extends: first_line
    customer:
      phone: reveal
`;

export const contractText = `contract: c-1
parties:  { merchant: m-1, vendor: v-1 }
term:     { start: 2026-01-01, end: 2027-01-01, zone: Asia/Shanghai }
purposes: { after_sales: {} }
ceiling:  { plain: reveal, derived: reveal, person_name: mask, phone: reveal, birth_date: reveal, plate: mask, resident_id: mask, payment_card: reveal }
policy:   p
roles:    [first_line, senior]
`;
