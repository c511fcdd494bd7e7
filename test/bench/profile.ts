/**
 * Whose time a V8 profile shows, by the steps of a read. A function belongs to the step that its file belongs to; what all steps share (ciphers, JSON, the driver,
 * Node's own modules) belongs to whoever called it. A stack ends where something was awaited, so what nobody of ours is under has a row of its own.
 */
import type { Profiler } from "node:inspector";

export const stepNames = [
  ...["token", "load", "decide", "open", "mask", "log", "number", "respond"],
  ...["Postgres' driver, its sockets", "promises and small change", "native code, sockets", "garbage collection"],
] as const;
export type Step = (typeof stepNames)[number];

/** Of our own, a pattern each, so that one that fits nothing any more is found. The first that fits. */
const ofFiles: readonly (readonly [step: Step, files: readonly RegExp[]])[] = [
  ["token", [/\/src\/identity\//, /\/src\/revocations\//, /\/src\/sessions\//, /\/src\/service-keys\//]],
  ["decide", [/\/src\/policy\//, /\/disclosure\/ask\./]],
  ["mask", [/\/src\/masking\//]],
  ["number", [/\/src\/audit\/(?:sequencer|publish|search|upkeep)\./]],
  ["log", [/\/src\/audit\//, /\/disclosure\/entries\./]],
  ["open", [/\/disclosure\/open\./, /\/src\/keys\//, /\/src\/records\/seal\./]],
  [
    "load",
    [/\/disclosure\/(?:load|postgres|sharing|misses|postgres-misses)\./, /\/src\/records\//, /\/src\/contracts\//, /\/src\/offices\//],
  ],
  ["respond", [/\/src\/http\//, /\/src\/app\./, /\/src\/requests\//]],
];
export const patternsOfOurFiles: readonly RegExp[] = ofFiles.flatMap(([, files]) => files);
const ofOthers: typeof ofFiles = [
  ["token", [/\/jose\//]],
  ["respond", [/\/hono\//, /\/node-server\//, /node:_http/]],
];
/** Shared files that have no caller of ours on their stack. */
const alone: typeof ofFiles = [
  ["Postgres' driver, its sockets", [/\/src\/storage\//, /\/postgres\//, /node:net/, /node:internal\/(?:stream|streams|js_stream)/]],
  ["open", [/\/src\/crypto\//, /@noble/]],
];
const withoutFile: Readonly<Record<string, Step | null>> = {
  "(garbage collector)": "garbage collection",
  "(program)": "native code, sockets",
  "(idle)": null,
};

/** Microseconds, without those in which nothing was to be done. */
export function stepsOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<Step, number> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const steps = new Map<number, Step | null>();
  const stepOf = (id: number): Step | null => {
    const known = steps.get(id);
    if (known !== undefined) return known;
    const step = findStep(stackOf(id, byId, parents));
    steps.set(id, step);
    return step;
  };
  const spent = new Map<Step, number>();
  samples.forEach((id, i) => {
    const step = stepOf(id);
    if (step !== null) spent.set(step, (spent.get(step) ?? 0) + Math.max(0, timeDeltas[i] ?? 0));
  });
  return spent;
}

type Frame = Profiler.ProfileNode["callFrame"];

/** Innermost first. */
function stackOf(from: number, byId: ReadonlyMap<number, Profiler.ProfileNode>, parents: ReadonlyMap<number, number>): Frame[] {
  const frames: Frame[] = [];
  for (let id: number | undefined = from; id !== undefined; id = parents.get(id)) {
    const node = byId.get(id);
    if (node) frames.push(node.callFrame);
  }
  return frames;
}

function findStep(stack: readonly Frame[]): Step | null {
  const name = stack[0]?.functionName ?? "";
  if (stack[0]?.url === "" && Object.hasOwn(withoutFile, name)) return withoutFile[name] ?? null;
  for (const table of [[...ofFiles, ...ofOthers], alone])
    for (const { url } of stack) {
      const found = table.find(([, files]) => files.some((file) => file.test(url)));
      if (found) return found[0];
    }
  return "promises and small change";
}
