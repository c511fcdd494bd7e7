/** The order of the test files: what takes minutes in the long form begins first, then what takes longest in the usual one, so that the other workers have the rest meanwhile. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

const longInLongForm = ["soak", "policy-laws", "policy-arbitrary", "masking-laws", "under-fire", "purge-kill"];
const longInUsualForm = [
  "cli",
  "demo",
  "cli-audit",
  "cli-migrate",
  "worker-clock",
  "retail",
  "ladder",
  "worker",
  "faults",
  "bench",
  "readme",
];
const longest = [...longInLongForm, ...longInUsualForm];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return place < 0 ? longest.length : place;
}
