/**
 * Prints certificates for the owners who ask a Node gateway: the forms of `postern certificate show`, which nobody has verified when they are made. A PDF
 * takes half a second of processor, so a thread of its own makes it, one at a time; where its font was left out, none is offered (decision 0024).
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type View, viewOf } from "./cli/certificate-view.ts";
import { languages } from "./cli/certificate-words.ts";
import { type CertificatePrinter, certificateDigest, peekCertificate } from "./purge/index.ts";

const font = "@embedpdf/fonts-sc";

export function createPrinter(): CertificatePrinter {
  /** By the certificate's digest: asked for twenty times at once, it is made once. */
  const underWay = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  let last: Promise<unknown> = Promise.resolve();
  const pdfOf = (digest: string, views: readonly View[]): Promise<Uint8Array<ArrayBuffer>> => {
    const known = underWay.get(digest);
    if (known) return known;
    const made = last.then(() => printPdf(digest, views)).finally(() => underWay.delete(digest));
    underWay.set(digest, made);
    last = made.catch(() => undefined);
    return made;
  };
  return {
    media: isInstalled(font) ? ["text/html", "application/pdf"] : ["text/html"],
    async print(jws, media) {
      const [digest, views] = [certificateDigest(jws), viewsOf(jws)];
      if (media === "application/pdf") return { status: 200, media, body: await pdfOf(digest, views) };
      const { certificateHtml, certificatePolicy } = await import("./cli/certificate-html.ts");
      const headers = { "content-security-policy": `${certificatePolicy()}; frame-ancestors 'none'` };
      return { status: 200, media: `${media}; charset=utf-8`, headers, body: certificateHtml(views) };
    },
  };
}

function viewsOf(jws: string): View[] {
  const opened = peekCertificate(jws);
  if (!opened.ok) throw new Error("a stored certificate is none");
  const shown = { opened: opened.value, digest: certificateDigest(jws), verified: false };
  return languages.map((language) => viewOf(shown, language));
}

/** Rejects with whatever ended the thread. */
async function printPdf(digest: string, views: readonly View[]): Promise<Uint8Array<ArrayBuffer>> {
  const thread = new Worker(new URL("./cli/certificate-pdf-thread.ts", import.meta.url), { workerData: { digest, views } });
  const [pdf]: Uint8Array<ArrayBuffer>[] = await once(thread, "message");
  if (!pdf) throw new Error("the thread that prints said nothing");
  return pdf;
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
