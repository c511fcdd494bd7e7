/**
 * `approvals` of a contract file: what the merchant's owners do not decide among themselves. Bringing a draft into force is no such act: what a contract demands
 * holds once two owners agreed to it.
 */
import * as z from "zod";

const agreed = (what: string) => z.literal("other_organisation").optional().describe(what);

export const approvalsSchema = z.strictObject({
  change_policy: agreed("A policy, or terms, that show more"),
  purge: agreed("A purge before the contract's end"),
  partial_purge: agreed("Deleting what is older than so many days"),
  release_hold: agreed("Letting go of what a legal hold keeps"),
  amend: agreed("Another end, or another way to it"),
  terminate: agreed("An end before its time"),
  resume: agreed("Letting a suspended contract's agents in again"),
});

/** What another organisation than the one that asks may have to approve. */
export type AgreedAct = keyof typeof approvalsSchema.shape;
export const agreedActs = Object.keys(approvalsSchema.shape) as readonly AgreedAct[];

/** What is not here is approved by another owner. */
export type ApprovalTerms = { readonly [act in AgreedAct]?: "other_organisation" };

/** `null` = it demands nothing. */
export function readApprovalTerms(terms: z.output<typeof approvalsSchema>): ApprovalTerms | null {
  const demanded = agreedActs.filter((act) => terms[act] !== undefined);
  return demanded.length === 0 ? null : Object.fromEntries(demanded.map((act) => [act, "other_organisation"]));
}

/** Something that the one demands and the other does not. */
export function dropsDemand(before: ApprovalTerms | undefined, after: ApprovalTerms | undefined): boolean {
  return agreedActs.some((act) => before?.[act] !== undefined && after?.[act] === undefined);
}
