/**
 * The verifier as one page: it reads an export and a trust file that somebody chooses or drops, and shows the verdict. `npm run page` bundles it.
 * Trusted: whoever can change the page can make it say anything, so it comes with the gateway's source, not with the export. It asks no network, and
 * everything it shows is set as text.
 */
import { parseTrust, readBundle, type Verdict, verifyExport } from "./audit/index.ts";
import { createSigner, verifySignature } from "./crypto/index.ts";
import { type Language, languages, problemsInChinese, texts } from "./verify-page-texts.ts";

const inputs = { export: input("export"), trust: input("trust"), seen: input("seen") };
const verifyButton = element("verify", HTMLButtonElement);
const languageButton = element("language", HTMLButtonElement);
const progress = element("progress", HTMLProgressElement);
const shown = element("verdict", HTMLElement);

let language: Language = navigator.language.startsWith("zh") ? "zh" : "en";
let last: Verdict | string | null = null;

showTexts();
languageButton.addEventListener("click", () => {
  language = languages.find((other) => other !== language) ?? language;
  showTexts();
});
for (const chosen of Object.values(inputs)) chosen.addEventListener("change", showChosen);
verifyButton.addEventListener("click", () => void verify());
for (const kind of ["dragover", "dragleave", "drop"] as const) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragover");
    if (kind === "drop") take(event.dataTransfer?.files ?? new DataTransfer().files);
  });
}

/** Each dropped file where it belongs, by its name. */
function take(files: FileList): void {
  const kinds = { export: new DataTransfer(), trust: new DataTransfer(), seen: new DataTransfer() };
  for (const file of files) kinds[kindOf(file.name)].items.add(file);
  for (const kind of ["export", "trust", "seen"] as const) if (kinds[kind].files.length > 0) inputs[kind].files = kinds[kind].files;
  showChosen();
}

function kindOf(name: string): keyof typeof inputs {
  if (name.endsWith(".json")) return "trust";
  return name.endsWith(".tar") ? "export" : "seen";
}

async function verify(): Promise<void> {
  const [file] = inputs.export.files ?? [];
  if (file === undefined) return;
  verifyButton.disabled = true;
  shown.hidden = true;
  progress.hidden = false;
  progress.removeAttribute("value");
  try {
    last = await verdictOn(file);
  } catch {
    last = `${texts[language].unusable}: ${file.name}`;
  }
  progress.hidden = true;
  showVerdict();
  showChosen();
}

/** A text: why there is no verdict. */
async function verdictOn(file: File): Promise<Verdict | string> {
  if (!(await knowsEd25519())) return texts[language].noEd25519;
  const [trustFile] = inputs.trust.files ?? [];
  const trust = trustFile === undefined ? null : parseTrust(await trustFile.text());
  if (trust?.ok === false) return `${texts[language].unusable}: ${trust.refusal}`;
  const seen = await Promise.all([...(inputs.seen.files ?? [])].map((kept) => kept.text()));
  return verifyExport({
    bundle: readBundle(file.stream()),
    trust: trust?.value ?? null,
    seen,
    verifySignature,
    onProgress(entries, size) {
      progress.max = size;
      progress.value = entries;
    },
  });
}

/** Otherwise every signature would look wrong. */
async function knowsEd25519(): Promise<boolean> {
  try {
    const signer = await createSigner(new Uint8Array(32));
    return await verifySignature(signer.publicKey, new Uint8Array(1), await signer.sign(new Uint8Array(1)));
  } catch {
    return false;
  }
}

function showTexts(): void {
  const said: Readonly<Record<string, string>> = texts[language];
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll<HTMLElement>("[data-text]")) node.textContent = said[node.dataset.text ?? ""] ?? "";
  languageButton.textContent = texts[language].other;
  if (last !== null) showVerdict();
}

function showChosen(): void {
  for (const chosen of Object.values(inputs)) chosen.parentElement?.classList.toggle("chosen", (chosen.files?.length ?? 0) > 0);
  verifyButton.disabled = inputs.export.files?.length !== 1;
}

function showVerdict(): void {
  if (last === null) return;
  const said = texts[language];
  const verdict = typeof last === "string" ? null : last;
  const state = stateOf(last);
  shown.hidden = false;
  shown.className = { ok: "good", consistent: "warn", notOk: "bad" }[state];
  element("headline", HTMLElement).textContent = typeof last === "string" ? last : said[state];
  element("facts", HTMLElement).replaceChildren(
    ...(verdict === null ? [] : factsOf(verdict)).flatMap(([name, value]) => [cell("dt", name), cell("dd", value)]),
  );
  const table = element("problems", HTMLTableElement);
  table.hidden = verdict === null || verdict.ok;
  table.tBodies[0]?.replaceChildren(...(verdict === null ? [] : rowsOf(verdict)));
  element("detail", HTMLElement).hidden = verdict === null;
  element("json", HTMLElement).textContent = JSON.stringify(verdict, null, 2);
}

function stateOf(result: Verdict | string): "ok" | "consistent" | "notOk" {
  if (typeof result === "string" || !result.ok) return "notOk";
  return result.keys === "pinned" ? "ok" : "consistent";
}

function factsOf(verdict: Verdict): [name: string, value: string][] {
  const said = texts[language];
  const { ok, keys, origin, size, root, prunedBefore, seenPruned, entries, flushes, checkpoints, lost } = verdict;
  const { problems, problemsFound, firstBad } = verdict;
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

function rowsOf({ problems }: Verdict): HTMLElement[] {
  return problems.map(({ index, code, reason }) => {
    const row = document.createElement("tr");
    const what = language === "zh" ? `${problemsInChinese[code]} · ${code}: ${reason}` : `${code}: ${reason}`;
    row.append(cell("td", index === null ? texts[language].whole : String(index)), cell("td", what));
    return row;
  });
}

function cell(tag: "dt" | "dd" | "td", text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function input(id: string): HTMLInputElement {
  return element(id, HTMLInputElement);
}

function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}
