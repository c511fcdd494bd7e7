/**
 * Case files: the promises beside a policy. What leaves has to be what a case says, and all of it.
 */
import { describe, expect, it } from "vitest";
import { casesText, everything, policy, record, runText } from "./support/cases.ts";

/** `path: expected / got` of each difference of the one case. */
function differences(text: string, policyText = policy): string[] {
  return runText(text, policyText).flatMap((result) =>
    result.differences.map(({ path, expected, got }) => `${path}: ${expected} / ${got}`),
  );
}

describe("a case", () => {
  it("holds where it says all that leaves, in lists, maps and texts that hold JSON as well", () => {
    expect(differences(casesText(everything))).toEqual([]);
  });

  it("is given the contract's clock, its networks, and the ticket", () => {
    const revealed = everything.replace('mask: "142****1234"', 'reveal: "14200001234"');
    expect(differences(casesText(revealed, { ticket: "T-1" }))).toEqual([]);
    expect(differences(casesText(revealed, { ticket: "T-1", now: "2026-03-02T18:00" }))).toEqual([
      'phone: reveal "14200001234" / mask "142****1234"',
    ]);
  });

  it("says where nothing is shown at all", () => {
    expect(differences(casesText("outside_hours", { now: "2026-03-02T21:00" }))).toEqual([]);
    expect(differences(casesText("outside_network", { address: "198.51.100.20" }))).toEqual([]);
    expect(differences(casesText("outside_network", { address: "" }))).toEqual([]);
    const bound = (expected: string, changes = {}) => casesText(expected, changes).replace("    policy:   p\n", "    dpop: required\n$&");
    expect(differences(bound("proof_invalid", { proven: "false" }))).toEqual([]);
    expect(differences(bound(everything))).toEqual([]);
    expect(differences(casesText(everything, { proven: "false" }))).toEqual([]);
    expect(differences(casesText("contract_not_active", { now: "2025-12-31T10:00" }))).toEqual([]);
    expect(differences(casesText("contract_ended", { now: "2027-01-01T00:00" }))).toEqual([]);
    expect(differences(casesText("purpose_required", { purpose: "" }))).toEqual([]);
    expect(differences(casesText("purpose_unknown", { purpose: "marketing" }))).toEqual([]);
    expect(differences(casesText("not_there", { record: "{ status: closed }" }))).toEqual([]);
    expect(differences(casesText("not_there"))).toEqual(["record: not_there / fields"]);
    expect(differences(casesText(everything, { record: "{ status: closed }" }))).toEqual(["record: fields / not_there"]);
    expect(differences(casesText("outside_hours", { purpose: "marketing" }))).toEqual(["record: outside_hours / purpose_unknown"]);
  });

  it("says at which price a value may be asked for", () => {
    const lead = { agent: "{ role: lead }", purpose: "shipping" };
    const priced = (price: string) => `${everything}\n      address: { mask: 浙江省杭州市西湖区****${price} }`;
    expect(differences(casesText(priced(", on_request: { quota: 20/day, reason: required, seconds: 30 }"), lead))).toEqual([]);
    expect(differences(casesText(priced(""), lead))).toEqual([
      'address: mask "浙江省杭州市西湖区****" / mask "浙江省杭州市西湖区****" (on request: 20/day, reason, 30 s)',
    ]);
    expect(differences(casesText(priced(", on_request: { quota: 10/day }"), { agent: "{ role: lead }" }))).toEqual([
      'address: mask "浙江省杭州市西湖区****" (on request: 10/day) / withhold null',
    ]);
  });

  it("names conditions that its record cannot answer, or fails", () => {
    expect(differences(casesText("not_there", { record: "{ phone: '14200001234' }" }))).toEqual([
      "rows: conditions that can / a condition that cannot be evaluated",
    ]);
    expect(differences(casesText("not_there", { record: "{ phone: '14200001234' }", failed: "[rows]" }))).toEqual([]);
    const asking = policy.replace("request.hour < 18", 'record.status == "open"').replace(/rows: .*/, "rows: 'true'");
    expect(differences(casesText(everything), asking)).toEqual([]);
    const bare = { ticket: "T-1", record: '{ phone: "14200001234" }' };
    const shown =
      '{ status: reveal, phone: { mask: "142****1234" }, "items[].sku": reveal, "phones{}.number": mask, "payload$.receiver.name": mask }';
    expect(differences(casesText(shown, bare), asking)).toEqual(["phone: conditions that can / a condition that cannot be evaluated"]);
    expect(differences(casesText(shown, { ...bare, failed: "[phone]" }), asking)).toEqual([]);
    expect(differences(casesText(shown, { ...bare, failed: "[status]", others: "any" }), asking)).toEqual([
      "status: a condition that cannot be evaluated / conditions that can",
      "phone: conditions that can / a condition that cannot be evaluated",
    ]);
  });

  it("names everything that leaves: what is opened behind its back, it hears of", () => {
    const opened = policy.replace("  lead:\n", "      address: mask\n  lead:\n");
    const [result] = runText(casesText(everything), opened);
    expect(result?.differences).toEqual([
      {
        path: "address",
        expected: "withhold, as it is not named",
        got: "mask",
        why: "role agent: address → mask (p.yaml:20)",
        at: { file: "p.yaml", line: 20 },
      },
    ]);
    expect(differences(casesText(everything, { others: "any" }), opened)).toEqual([]);
    expect(differences(casesText("{ status: reveal }"))).toEqual([
      "phone: withhold, as it is not named / mask",
      "items[].sku: withhold, as it is not named / reveal",
      "phones{}.number: withhold, as it is not named / mask",
      "payload$.receiver.name: withhold, as it is not named / mask",
    ]);
  });

  it("tells a value from another, and one from none", () => {
    const changed = (from: string, to: string) => differences(casesText(everything.replace(from, to)));
    expect(changed("{ reveal: open }", "reveal")).toEqual([]);
    expect(changed("reveal: open", "mask: open")).toEqual(['status: mask "open" / reveal "open"']);
    expect(changed("reveal: open", "reveal: null")).toEqual(['status: reveal null / reveal "open"']);
    expect(changed("[A1, B2]", "[B2, A1]")).toEqual(['items[].sku: reveal ["B2","A1"] / reveal ["A1","B2"]']);
    expect(changed("[A1, B2]", "A1")).toEqual(['items[].sku: reveal "A1" / reveal ["A1","B2"]']);
    const gone = { record: record.replace('phone: "14200001234", ', "") };
    expect(differences(casesText(everything, gone))).toEqual(['phone: mask "142****1234" / mask, of nothing']);
  });

  it("has a pseudonym that is the same everywhere", () => {
    const pseudonyms = policy.replace('"payload$.receiver.name": mask', '"payload$.receiver.name": pseudonymize');
    const expected = everything.replace("mask: 林**", "pseudonymize: p_");
    expect(differences(casesText(expected), pseudonyms)).toEqual(differences(casesText(expected), pseudonyms));
    expect(differences(casesText(expected), pseudonyms)[0]).toMatch(
      /^payload\$\.receiver\.name: pseudonymize "p_" \/ pseudonymize "p_[a-z2-7]{26}"$/,
    );
  });
});
