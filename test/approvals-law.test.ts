/** Who may decide a request: every case there is. */
import { describe, expect, it } from "vitest";
import type { Approval, Verdict } from "../src/approvals/approval.ts";
import { mayDecide } from "../src/approvals/approvals.ts";
import type { ContractId } from "../src/kernel/index.ts";

const asker = { issuer: "demo", subject: "owner-1" };
const another = { issuer: "demo", subject: "somebody" };

describe("who may decide", () => {
  const sides = ["merchant", "vendor", null] as const;
  const cases = sides.flatMap((asked) =>
    sides.flatMap((decides) =>
      [true, false].flatMap((isOthers) =>
        [true, false].flatMap((isOwn) =>
          (["approved", "rejected", "withdrawn"] as const).map((verdict: Verdict) => ({ asked, decides, isOthers, isOwn, verdict })),
        ),
      ),
    ),
  );
  const request = (state: Approval["state"]): Approval => ({
    ...{ id: "a", contract: "c" as ContractId, action: "purge", digest: "sha256:", state, requestedBy: asker },
    ...{ requestedAt: 0, expiresAt: 10, readAt: 1, decidedBy: null, decidedAt: null, reason: null, decidedReason: null },
  });
  const judged = cases.map((one) => ({
    ...one,
    told: mayDecide(request("requested"), one.isOwn ? asker : another, one.verdict, one),
  }));
  const allowed = judged.filter(({ told }) => told.ok);

  it("approves of another organisation's where that is demanded, and knows whose it is", () => {
    const approvals = allowed.filter(({ verdict, isOthers }) => verdict === "approved" && isOthers);
    expect(approvals.map(({ asked, decides }) => [asked, decides])).toEqual([
      ["merchant", "vendor"],
      ["vendor", "merchant"],
    ]);
  });

  it("is not of the vendor where it is not demanded, and never of nobody", () => {
    expect(allowed.filter(({ decides, isOthers }) => decides === null || (decides === "vendor" && !isOthers))).toEqual([]);
  });

  it("is another person than the one who asked, who alone takes it back", () => {
    expect(allowed.filter(({ isOwn, verdict }) => isOwn !== (verdict === "withdrawn"))).toEqual([]);
  });

  it("is any other owner where nothing is demanded, whatever became of the one who asked", () => {
    const plain = judged.filter(
      ({ decides, isOthers, isOwn, verdict }) => decides === "merchant" && !isOthers && isOwn === (verdict === "withdrawn"),
    );
    expect(plain.filter(({ told }) => !told.ok)).toEqual([]);
  });

  it("is told that it is closed only where it was theirs", () => {
    const told = (decides: "merchant" | "vendor") =>
      mayDecide(request("approved"), another, "approved", { asked: "merchant", decides, isOthers: false });
    expect([told("merchant"), told("vendor")]).toMatchObject([
      { refusal: { code: "approval_closed" } },
      { refusal: { code: "not_permitted" } },
    ]);
  });
});
