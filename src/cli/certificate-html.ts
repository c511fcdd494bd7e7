/** A certificate as one page: it loads nothing, runs nothing, and prints on A4. Every text in it is escaped. */
import { createHash } from "node:crypto";
import { levelClasses, type NamedValue, type View, visible } from "./certificate-view.ts";

const style = `:root { color-scheme: light; --ink: #1c2330; --quiet: #5a6476; --line: #d9dee8; --good: #11743f; --warn: #8a5a00; }
* { box-sizing: border-box; }
body { margin: 0; background: #eef0f4; color: var(--ink); font: 14px/1.55 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
article { max-width: 210mm; margin: 24px auto; padding: 18mm 18mm 14mm; background: #fff; box-shadow: 0 1px 6px #0002; }
h1 { font-size: 26px; margin: 0; } h2 { font-size: 16px; margin: 26px 0 8px; } h3 { font-size: 13px; margin: 16px 0 4px; color: var(--quiet); }
.standing { display: inline-block; margin: 8px 0 0; padding: 2px 10px; border: 1px solid; border-radius: 99px; font-size: 12px; color: var(--warn); }
.standing.ok { color: var(--good); }
.lead { margin: 18px 0 0; font-size: 16px; } .lead dt { font-weight: 650; } .lead dd { margin: 2px 0 12px; }
.how { margin: 6px 0 0; color: var(--quiet); font-size: 13px; }
code, .annex td { font: 12px/1.5 ui-monospace, "SF Mono", Consolas, "Noto Sans Mono CJK SC", monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: 5px 12px 5px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 500; color: var(--quiet); width: 30%; } thead th { width: auto; border-top: 0; }
td.level { white-space: nowrap; font-weight: 600; }
td.proven, td.seen { color: var(--good); } td.attested, td.unknown { color: var(--warn); }
.note { color: var(--quiet); font-size: 12px; }
@page { size: A4; margin: 16mm; }
@media print { body { background: #fff; } article { margin: 0; padding: 0; max-width: none; box-shadow: none; break-after: page; }
  article:last-of-type { break-after: auto; } tr, dd { break-inside: avoid; } h2, h3, dt { break-after: avoid; } }`;

/** The page's content policy: no script, nothing loaded, one style. It stands in the page, and belongs into the answer's headers. */
export function certificatePolicy(): string {
  return `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'`;
}

export function certificateHtml(views: readonly View[]): string {
  const [first] = views;
  return `<!doctype html>
<html lang="${first?.tag ?? "en"}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${certificatePolicy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(views.map(({ title }) => title).join(" · "))}</title>
<style>${style}</style>
</head>
<body>
${views.map(article).join("\n")}
</body>
</html>
`;
}

function article({ tag, title, standing, lead, howTo, facts, items, annex }: View): string {
  return `<article lang="${tag}">
<h1>${escaped(title)}</h1>
<p class="standing${standing.ok ? " ok" : ""}">${escaped(standing.text)}</p>
<dl class="lead">${lead.map(({ heading, text }) => `<dt>${escaped(heading)}</dt><dd>${escaped(text)}</dd>`).join("\n")}</dl>
<p class="how">${escaped(howTo.text)} <code>${escaped(howTo.command)}</code></p>
<h2>${escaped(facts.heading)}</h2>
<table>${facts.rows.map(row).join("\n")}</table>
<h2>${escaped(items.heading)}</h2>
<table><thead><tr>${items.columns.map((column) => `<th>${escaped(column)}</th>`).join("")}</tr></thead><tbody>
${items.rows.map(({ item, what, level, assurance }) => `<tr><td>${escaped(item)}</td><td>${escaped(what)}</td><td class="level ${levelClasses[level]}">${escaped(assurance)}</td></tr>`).join("\n")}
</tbody></table>
<p class="note">${escaped(items.note)}</p>
<h2>${escaped(annex.heading)}</h2>
<div class="annex">${annex.parts.map(({ heading, rows }) => `<h3>${escaped(heading)}</h3>\n<table>${rows.map(row).join("\n")}</table>`).join("\n")}</div>
</article>`;
}

function row([name, value]: NamedValue): string {
  return `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`;
}

function escaped(text: string): string {
  return visible(text).replaceAll(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
