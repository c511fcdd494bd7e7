/** The records of one run: all real ones, and for each type one full of canaries. */
import { hasShared } from "../shared.ts";
import { plantCanaries, type RetailRecord, readRetail, retailPath, retailTypes } from "./data.ts";

export interface RetailWorld {
  readonly all: readonly RetailRecord[];
  /** Of each type the first that has every field. */
  readonly templates: readonly RetailRecord[];
  /** Made of the templates. */
  readonly planted: readonly RetailRecord[];
}

/** Empty where the data is absent. */
export function readRetailWorld(): RetailWorld {
  const real = hasShared(retailPath) ? retailTypes.flatMap(readRetail) : [];
  const templates = retailTypes.flatMap((type) => real.find((record) => record.type === type && isFull(record)) ?? []);
  const planted = templates.map(plantCanaries);
  return { all: [...real, ...planted], templates, planted };
}

function isFull({ type, line }: RetailRecord): boolean {
  return line.includes(type === "user" ? '"last_four"' : '"tracking_id"');
}
