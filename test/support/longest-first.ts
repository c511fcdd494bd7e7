/** The order of the test files: what takes minutes in the long form begins first, so that the other worker has the rest while it runs. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

const longest = ["soak", "policy-laws", "policy-arbitrary", "masking-laws", "under-fire", "purge-kill"];

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
