/** `postern certificate show`: a certificate for people, as text, page or PDF. Offline; verified first where the trust file is at hand. */
import { writeFile } from "node:fs/promises";
import { type Shown, type View, viewOf } from "./certificate-view.ts";
import { languages } from "./certificate-words.ts";
import { command } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { readText } from "./files.ts";
import { columns, note, plain, print } from "./output.ts";
import { readTrustFile } from "./trust-file.ts";

export const show = command({
  meta: { description: "Show a certificate to people: as text, as a page, as a PDF" },
  examples: [
    "npx postern certificate show certificate.jws --trust trust.json --pdf certificate.pdf",
    "npx postern certificate show certificate.jws --trust trust.json --html certificate.html --lang zh",
  ],
  args: {
    file: { type: "positional", required: true, valueHint: "FILE", description: "The certificate, first or final; - is standard input" },
    trust: { type: "string", valueHint: "FILE", description: "The trust file: a certificate that does not verify is not shown" },
    html: { type: "string", valueHint: "FILE", description: "Write one page that loads nothing and prints on A4" },
    pdf: { type: "string", valueHint: "FILE", description: "Write a PDF that holds its own glyphs" },
    lang: { type: "enum", options: ["zh", "en", "both"], default: "both", description: "The language" },
  },
  async run({ args }) {
    const shown = await open(await readText(args.file), args.trust);
    const chosen = args.lang === "both" ? languages : languages.filter((language) => language === args.lang);
    const views = chosen.map((language) => viewOf(shown, language));
    if (args.html !== undefined) {
      const { certificateHtml } = await import("./certificate-html.ts");
      await write(args.html, certificateHtml(views));
    }
    if (args.pdf !== undefined) {
      const { certificatePdf } = await import("./certificate-pdf.ts");
      await write(args.pdf, await certificatePdf(views, shown.digest));
    }
    if (args.html === undefined && args.pdf === undefined) print(views.map(asText).join("\n\n"));
    if (!shown.verified) note("not verified: say --trust FILE");
  },
});

/** Throws Failure (1) where it does not verify, (2) where it is no certificate. */
async function open(jws: string, trustFile: string | undefined): Promise<Shown> {
  const [{ certificateDigest, peekCertificate, verifyCertificate }, { verifySignature }] = await Promise.all([
    import("../purge/index.ts"),
    import("../crypto/index.ts"),
  ]);
  const opened = peekCertificate(jws);
  if (!opened.ok) throw new Failure(opened.refusal.reason, exitCodes.usage);
  const verdict = trustFile === undefined ? null : await verifyCertificate(jws, await readTrustFile(trustFile), verifySignature);
  if (verdict?.ok === false) {
    const reasons = verdict.problems.map(({ code, reason }) => `${code}: ${reason}`);
    throw new Failure("NOT OK, so nothing is shown", exitCodes.failed, reasons);
  }
  return { opened: opened.value, digest: certificateDigest(jws.trim()), verified: verdict !== null };
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(file, content).catch(() => {
    throw new Failure(`${file} cannot be written`, exitCodes.usage);
  });
}

function asText({ title, standing, lead, facts, items }: View): string {
  return [
    title,
    standing.text,
    ...lead.map(({ heading, text }) => `\n${heading}\n${plain(text)}`),
    `\n${facts.heading}`,
    columns(facts.rows.map(([name, value]) => [`  ${name}`, plain(value)])),
    `\n${items.heading}`,
    columns(items.rows.map(({ item, what, assurance }) => [`  ${plain(item)}`, plain(what), assurance])),
    `\n${items.note}`,
  ].join("\n");
}
