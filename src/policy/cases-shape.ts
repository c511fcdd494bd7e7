/**
 * The words of a case file. The reader checks by these schemas, and editors' JSON Schema is made of them.
 */
import * as z from "zod";
import { treatmentNames } from "../masking/index.ts";
import { contractFileSchema } from "./contract-document.ts";
import { nameSchema, ruleOptions } from "./rule-shape.ts";
import { refusing } from "./shape.ts";
import { instantAt } from "./term.ts";

/** What an agent meets where nothing is shown. `not_there`: a row rule, or a role or type that is none of the contract's. */
export const outcomes = [
  "not_there",
  "contract_not_active",
  "contract_ended",
  "outside_hours",
  "outside_network",
  "proof_invalid",
  "purpose_required",
  "purpose_unknown",
] as const;

const moment = z
  .string()
  .refine(
    (text) => instantAt(text, "UTC") !== null,
    refusing("bad_date", "not a date and time that exist", "civil, in the contract's zone, as 2026-03-02T10:00"),
  );

export const onRequestSchema = ruleOptions.reveal.pick({ quota: true, reason: true, seconds: true });

/** `contract`, `expectation`: what stands there. The reader takes anything and reads it itself, for better messages. */
function casesSchemaWith<Contract extends z.ZodType, Expectation extends z.ZodType>(contract: Contract, expectation: Expectation) {
  const object = z.record(z.string(), z.unknown());
  const oneCase = z.strictObject({
    name: z.string().min(1).max(200).describe("What is promised"),
    contract: z.string().optional().describe("One of contracts; may be left out where there is one"),
    agent: z.strictObject({ role: z.string(), issuer: z.string().default("case"), subject: z.string().default("case") }),
    purpose: z.string().optional().describe("May be left out where the contract has one"),
    now: moment.optional().describe("In the contract's zone"),
    address: z.string().optional().describe("The IP address that the request comes from"),
    proven: z.boolean().default(true).describe("false: it brings no proof of a key that its token is bound to"),
    ticket: z.string().optional(),
    type: z.string().describe("A resource of the policy"),
    record: z.union([z.string(), object], { error: "a name of records, or a record" }),
    expect: z.union([z.enum(outcomes), z.record(z.string(), expectation)], {
      error: `fields with what leaves of each, or one of ${outcomes.join(", ")}`,
    }),
    others: z
      .enum(["withheld", "any"])
      .default("withheld")
      .describe("withheld: every field that expect does not name is; any: this case is not about them"),
    failed: z.array(z.string()).default([]).describe("Fields, or rows, with a condition that cannot be evaluated"),
  });
  return z.strictObject({
    contracts: z.record(nameSchema, contract),
    now: moment.optional().describe("Of every case that has none of its own"),
    records: z.record(nameSchema, object).default({}),
    cases: z.array(oneCase).min(1, "no case"),
  });
}

export const casesSchema = casesSchemaWith(
  z.union([z.string(), z.record(z.string(), z.unknown())], { error: "a contract, or the file that holds it" }),
  z.unknown(),
);

/** For editors: the whole file. */
export const casesFileSchema = casesSchemaWith(
  z.union([z.string().describe("A contract's file, from here"), contractFileSchema]),
  z.union([
    z.enum(treatmentNames),
    ...treatmentNames
      .filter((name) => name !== "withhold")
      .map((name) =>
        z.strictObject({
          [name]: z.unknown().describe("What leaves; of a list's or a map's members, a list"),
          on_request: onRequestSchema.optional().describe("The value itself may be asked for at this price"),
        }),
      ),
  ]),
);

export type CasesShape = z.output<typeof casesSchema>;
