/**
 * The verifier as one page: it reads an export or a certificate, and a trust file, that somebody chooses or drops, and shows the verdict. `npm run
 * page` bundles it.
 * Trusted: whoever can change the page can make it say anything, so it comes with the gateway's source, not with the export. It asks no network, and
 * everything it shows is set as text.
 */
import { parseTrust } from "./audit/index.ts";
import { createSigner, verifySignature } from "./crypto/index.ts";
import { isCertificate, judgeCertificate } from "./verify-page-certificate.ts";
import { judgeExport } from "./verify-page-log.ts";
import { type InLanguage, node, noVerdict } from "./verify-page-report.ts";
import { type Language, languages, texts } from "./verify-page-texts.ts";

const inputs = { export: input("export"), trust: input("trust"), seen: input("seen") };
const verifyButton = element("verify", HTMLButtonElement);
const languageButton = element("language", HTMLButtonElement);
const progress = element("progress", HTMLProgressElement);
const shown = element("verdict", HTMLElement);

let language: Language = navigator.language.startsWith("zh") ? "zh" : "en";
let last: InLanguage | null = null;

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
  return /\.(tar|jws)$/.test(name) ? "export" : "seen";
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
    last = noVerdict("unusable", file.name);
  }
  progress.hidden = true;
  showVerdict();
  showChosen();
}

async function verdictOn(file: File): Promise<InLanguage> {
  if (!(await knowsEd25519())) return noVerdict("noEd25519");
  const [trustFile] = inputs.trust.files ?? [];
  const trust = trustFile === undefined ? null : parseTrust(await trustFile.text());
  if (trust?.ok === false) return noVerdict("unusable", trust.refusal);
  const seen = await Promise.all([...(inputs.seen.files ?? [])].map((kept) => kept.text()));
  const given = { file, trust: trust?.value ?? null, seen };
  if (await isCertificate(file)) return judgeCertificate(given);
  return judgeExport({
    ...given,
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
  showVerdict();
}

function showChosen(): void {
  for (const chosen of Object.values(inputs)) chosen.parentElement?.classList.toggle("chosen", (chosen.files?.length ?? 0) > 0);
  verifyButton.disabled = inputs.export.files?.length !== 1;
}

function showVerdict(): void {
  if (last === null) return;
  const { state, headline, facts, problems, shown: verified, verdict } = last(language);
  shown.hidden = false;
  shown.className = state;
  element("headline", HTMLElement).textContent = headline;
  element("facts", HTMLElement).replaceChildren(...facts.flatMap(([name, value]) => [node("dt", name), node("dd", value)]));
  const table = element("problems", HTMLTableElement);
  table.hidden = problems.length === 0;
  table.tBodies[0]?.replaceChildren(...problems.map(({ place, what }) => node("tr", [node("td", place), node("td", what)])));
  element("certificate", HTMLElement).replaceChildren(...verified);
  element("detail", HTMLElement).hidden = verdict === null;
  element("json", HTMLElement).textContent = JSON.stringify(verdict, null, 2);
}

function input(id: string): HTMLInputElement {
  return element(id, HTMLInputElement);
}

function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}
