/**
 * `npm run page`: builds src/verify-page.html out of the verifier's own source, so that an installation needs no build. A test holds the file to it.
 * The page may load nothing and run nothing but the one script and the one style that lie in it.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build, type Plugin } from "esbuild";

const root = new URL("../", import.meta.url);
export const pageFile = new URL("src/verify-page.html", root);

/** What a door names and nobody asks for stays out: a verifier needs no database. */
const onlyWhatIsUsed: Plugin = {
  name: "only-what-is-used",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /\.ts$/ }, async ({ path, resolveDir, kind, pluginData }) => {
      if (pluginData === "asked") return undefined;
      const found = await resolve(path, { resolveDir, kind, pluginData: "asked" });
      return { path: found.path, sideEffects: kind === "entry-point" };
    });
  },
};

/** The page's text. */
export async function buildPage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL("src/verify-page.ts", root).pathname],
    absWorkingDir: root.pathname,
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    minify: true,
    legalComments: "inline",
    // zod would try whether it may write code at run time; here it may not.
    banner: { js: "globalThis.__zod_globalConfig={jitless:true};" },
    plugins: [onlyWhatIsUsed],
  });
  const script = outputFiles[0]?.text.trim() ?? "";
  if (/<\/script|<!--/i.test(script)) throw new Error("the script would end the element it lies in");
  const template = readFileSync(new URL("src/verify-page.template.html", root), "utf8");
  const style = /<style>(.*?)<\/style>/s.exec(template)?.[1] ?? "";
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${digestOf(script)}'`,
    `style-src 'sha256-${digestOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
  return template.replace("{{policy}}", () => policy).replace(/<script>.*?<\/script>/s, () => `<script>${script}</script>`);
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

if (import.meta.main) writeFileSync(pageFile, await buildPage());
