/** What the data classes and the answers are called: apart from what they do, so that whoever only reads a compiled contract carries no masks. */
export const classNames = [
  "plain",
  "amount",
  "person_name",
  "nickname",
  "birth_date",
  "address",
  "phone",
  "email",
  "plate",
  "ip_address",
  "business_id",
  "free_text",
  "messenger_account",
  "resident_id",
  "passport",
  "payment_card",
  "iban",
  "sensitive",
  "health",
  "religion",
  "biometrics",
  "id_photo",
  "precise_location",
  "minor",
  "secret",
  "derived",
] as const;

export type DataClass = (typeof classNames)[number];

/** Answers instead of data, of class `derived`. */
export const answerNames = ["salutation", "age_band", "carrier", "same_as"] as const;

export type AnswerName = (typeof answerNames)[number];
