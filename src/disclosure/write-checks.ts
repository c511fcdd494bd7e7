/** May what somebody wants to write go up? Its fields by the connector and the policy; its values not by what they are, but by whether they are ours. */
import { type ConnectorWrite, idIn, readWrite, type WrittenBody, type WrittenField } from "../connectors/index.ts";
import { isJsonArray, type Json, type JsonObject, NumberText, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { holdsPlaceholder } from "../masking/index.ts";
import { type Decision, type Settled, valuesAt } from "../policy/index.ts";

export function checkWrite(write: ConnectorWrite, decision: Decision, path: string, body: Json): Result<WrittenBody, Refusal> {
  const read = readWrite(write, body, idIn(write.path, path));
  if (!read.ok) return refuse({ code: "unacceptable", errors: [read.refusal] });
  const unwritable = read.value.fields.find((field) => !decision.writable.includes(field.path));
  if (unwritable) return refuse({ code: "not_permitted", errors: [{ pointer: unwritable.pointer, code: "not_writable" }] });
  const ours = read.value.fields.find(({ value }) => typeof value === "string" && holdsPlaceholder(value));
  return ours ? refusePlaceholder(ours) : read;
}

/** As it stands before the agent. */
export interface ShownRecord {
  readonly resource: string;
  readonly fields: JsonObject;
  readonly settled: Settled;
}

/** What the agent is shown of this record in place of a value is not written back into it: the whole of it in its own field, a mask nowhere. */
export function checkAgainst(shown: ShownRecord, { resource }: ConnectorWrite, fields: readonly WrittenField[]): Result<void, Refusal> {
  const standIns = standInsOf(shown);
  const ours = fields.find(({ path, value }) => {
    const text = textOf(value);
    return standIns.some((standIn) =>
      standIn.isMask ? text.includes(standIn.text) : resource === shown.resource && standIn.path === path && standIn.text === text,
    );
  });
  return ours ? refusePlaceholder(ours) : ok(undefined);
}

interface StandIn {
  readonly path: string;
  readonly text: string;
  readonly isMask: boolean;
}

/** Shorter ones are in many words. */
const maskCharactersMin = 3;

function standInsOf({ fields, settled }: ShownRecord): StandIn[] {
  return settled.fields.flatMap(({ path, treatment }) => {
    if (treatment === "reveal" || treatment === "withhold") return [];
    const values = valuesAt(fields, path) ?? null;
    const texts = (isJsonArray(values) ? values : [values]).map(textOf).filter((text) => text !== "");
    return texts.map((text) => ({ path, text, isMask: treatment !== "generalize" && text.length >= maskCharactersMin }));
  });
}

/** Empty: nothing, or nothing that is one value. */
function textOf(value: Json): string {
  if (value instanceof NumberText) return value.text;
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function refusePlaceholder({ pointer }: WrittenField): Result<never, Refusal> {
  return refuse({ code: "unacceptable", errors: [{ pointer, code: "placeholder" }] });
}
