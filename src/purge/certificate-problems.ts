/** What verifying a certificate may find: a stable code and one line, which quotes nothing that a person wrote. */

/** The line where there is nothing more exact to say. */
export const certificateProblems = {
  not_a_certificate: "it is not a certificate, or not a whole one: three parts with a dot between",
  other_kind: "it is signed, and not a certificate",
  other_key: "it is signed under another key than the trust file's certificate key",
  signature: "its signature does not fit: it was changed or cut",
  form: "it is not of a form that this version knows",
  checkpoint: "its checkpoint is not signed by the trusted log key",
  other_log: "its checkpoint is another log's",
  entry_twice: "an entry stands twice",
  entry_proof: "an entry is not in the log: its bytes and path do not lead to the checkpoint's root",
  entry_unread: "an entry cannot be read",
  order: "the log does not hold this order",
  act_missing: "an act does not stand in the log exactly once",
  act_order: "an act stands out of its order",
  log_goes_on: "the log does not end with the purge",
  keys_begin: "the shares are not those that the contract began with",
  keys_destroyed: "the destroyed shares are not the named ones",
  counts: "the counts are not those that the log holds",
  swept: "the sweep found something else",
  control: "a negative control is not the one that the log holds",
  time: "a time is not that of its entry in the log",
  horizon: "the horizon does not follow from the destruction and what was agreed",
  item_missing: "something that was counted has no method, or a share no row",
  unproven: "it names a statement, export or acknowledgement that the log does not hold",
  holds: "the legal holds are not those that the log holds",
  statement: "its sentences do not follow from its fields",
  other_first: "the first certificate is another one than it names",
  first_not_ok: "the first certificate does not verify",
} as const;
export type CertificateProblemCode = keyof typeof certificateProblems;

export interface CertificateProblem {
  readonly code: CertificateProblemCode;
  readonly reason: string;
}

export function problem(code: CertificateProblemCode, detail?: string): CertificateProblem {
  return { code, reason: detail === undefined ? certificateProblems[code] : `${certificateProblems[code]} (${detail})` };
}
