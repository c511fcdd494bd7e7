/** `npm run bench`: how fast the gateway is, beside what does the same with less. `--help` says what there is. */
import { writeDocuments } from "./documents.ts";
import { BadOption, help, type Options, readOptions } from "./options.ts";
import { printComparison, printGoals, printResult } from "./print.ts";
import { readResults, resultsPath, writeResults } from "./results.ts";
import { runSuite } from "./suite.ts";

const options = read();
if (options === null) process.exitCode = 2;
else if (options.help) process.stdout.write(help);
else if (options.docs) writeDocuments(readResults());
else await measure(options);

function read(): Options | null {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof BadOption)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  }
}

async function measure(asked: Options): Promise<void> {
  const nodeFlags = asked.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${asked.profile}`];
  const saved = readResults();
  const results = await runSuite(asked, nodeFlags, (name, result) => {
    if (!asked.json) printResult(name, result);
    // At once: a later one that fails takes nothing of it.
    if (asked.save) writeResults({ ...readResults(), [name]: result });
  });
  if (asked.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else {
    printGoals(results);
    printComparison(saved, results);
  }
  if (!asked.save) return;
  writeDocuments(readResults());
  if (!asked.json) process.stdout.write(`\nKept in ${resultsPath}; the documents say the same. Next: git diff docs\n`);
}
