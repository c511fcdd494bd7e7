/** The verdict on an export, for the page. */
import { readBundle, type Trust, type Verdict, verifyExport } from "./audit/index.ts";
import { verifySignature } from "./crypto/index.ts";
import type { InLanguage, Report } from "./verify-page-report.ts";
import { type Language, problemsInChinese, texts } from "./verify-page-texts.ts";

export interface ExportToJudge {
  readonly file: File;
  readonly trust: Trust | null;
  readonly seen: readonly string[];
  readonly onProgress: (entries: number, size: number) => void;
}

export async function judgeExport({ file, ...rest }: ExportToJudge): Promise<InLanguage> {
  const verdict = await verifyExport({ bundle: readBundle(file.stream()), verifySignature, ...rest });
  return (language) => reportOn(verdict, language);
}

function reportOn(verdict: Verdict, language: Language): Report {
  const said = texts[language];
  const { ok, keys } = verdict;
  const [state, headline] = !ok
    ? (["bad", said.notOk] as const)
    : keys === "pinned"
      ? (["good", said.ok] as const)
      : (["warn", said.consistent] as const);
  const problems = verdict.problems.map(({ index, code, reason }) => ({
    place: index === null ? said.whole : String(index),
    what: language === "zh" ? `${problemsInChinese[code]} · ${code}: ${reason}` : `${code}: ${reason}`,
  }));
  return { state, headline, facts: factsOf(verdict, language), problems, shown: [], verdict };
}

function factsOf(verdict: Verdict, language: Language): [name: string, value: string][] {
  const said = texts[language];
  const { ok, keys, origin, size, root, prunedBefore, seenPruned, entries, flushes, checkpoints, lost, problems, problemsFound, firstBad } =
    verdict;
  const facts: [string, string][] = [
    [said.origin, origin],
    [said.size, String(size)],
    [said.root, root],
    ...(prunedBefore > 0 ? [[said.pruned, `${said.prunedBefore} ${prunedBefore}`] as [string, string]] : []),
    ...(seenPruned > 0 ? [[said.seen, `${seenPruned} ${said.seenPruned}`] as [string, string]] : []),
    [said.checked, `${entries} / ${flushes} / ${checkpoints} ${said.counts}`],
    [said.keys, keys === "pinned" ? said.pinned : said.notPinned],
    ...lost.map(({ epoch, from, to }): [string, string] => [said.lost, `@${epoch}: ${from}–${to - 1}`]),
  ];
  if (ok) return facts;
  return [
    [said.firstBad, firstBad === null ? said.noneToBlame : String(firstBad)],
    [said.problems, problemsFound > problems.length ? `${problemsFound} (${problems.length} ${said.shown})` : String(problemsFound)],
    ...facts,
  ];
}
