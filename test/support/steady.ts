/**
 * Half of what a gateway can do, for as long as wanted, and what it holds meanwhile. By turns it is asked for some seconds and left alone for one; then what
 * nobody needs is collected, and memory and descriptors are counted: live memory varies by kilobytes then, not by the megabytes of a heap at work.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { House } from "./house.ts";
import { type Measured, pull } from "./levers.ts";
import { descriptorsOf } from "./processes.ts";
import { startReaders } from "./readers.ts";
import { pause, until } from "./until.ts";

export interface Sample {
  /** Milliseconds since the first. */
  readonly at: number;
  /** Bytes that something still needs: the heap, and what lies outside it. */
  readonly live: number;
  readonly resident: number;
  readonly descriptors: number;
}

export interface Steady {
  /** The first third left out: caches fill, the engine grows into its heap. */
  readonly samples: readonly Sample[];
  readonly tally: Readonly<Record<string, number>>;
  readonly fullPerSecond: number;
  readonly halfPerSecond: number;
}

const readersAtOnce = 16;
const gaugedMs = 10_000;
const windowMs = 5_000;
const restMs = 1_000;

export async function steady(house: House, lastsMs: number): Promise<Steady> {
  const { perSecond: fullPerSecond, tookMs } = await gauge(house);
  // Each reader rests for as long as an answer takes at full load, and is answered sooner at half of it.
  const thinkMs = Math.max(1, Math.round((2 * readersAtOnce * 1_000) / fullPerSecond - tookMs / 2));
  const samples: Sample[] = [];
  const begun = performance.now();
  const tally: Record<string, number> = {};
  let askedMs = 0;
  while (performance.now() - begun < lastsMs) {
    const window = startReaders(house.read, readersAtOnce, { keepPromises: false, thinkMs });
    const from = performance.now();
    await pause(windowMs);
    askedMs += performance.now() - from;
    await window.stop();
    for (const [kind, times] of Object.entries(window.tally())) tally[kind] = (tally[kind] ?? 0) + times;
    await pause(restMs);
    samples.push(await sample(house, samples.length, performance.now() - begun));
  }
  const halfPerSecond = Math.round(((tally[200] ?? 0) * 1_000) / askedMs);
  return { samples: samples.slice(Math.floor(samples.length / 3)), tally, fullPerSecond, halfPerSecond };
}

/** The median of the slopes between any two samples (Theil and Sen): a third of them may be anything. */
export function perTenMinutes(points: readonly { readonly at: number; readonly value: number }[]): number {
  const slopes = points.flatMap((one, i) => points.slice(i + 1).map((other) => (other.value - one.value) / (other.at - one.at)));
  const median = slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
  return median * 600_000;
}

/** At full speed. */
async function gauge({ read }: House): Promise<{ readonly perSecond: number; readonly tookMs: number }> {
  const readers = startReaders(read, readersAtOnce, { keepPromises: false });
  await readers.releasedReaches(500);
  const [before, from] = [readers.released(), performance.now()];
  await pause(gaugedMs);
  const perSecond = Math.round(((readers.released() - before) * 1_000) / (performance.now() - from));
  await readers.stop();
  return { perSecond, tookMs: (readersAtOnce * 1_000) / perSecond };
}

async function sample(house: House, measure: number, at: number): Promise<Sample> {
  pull(house, { measure });
  const path = join(house.gateway.home, "memory.json");
  await until("a measurement", () => readMeasured(path)?.measure === measure);
  const { heapUsed = 0, external = 0, rss = 0 } = readMeasured(path) ?? {};
  return { at, live: heapUsed + external, resident: rss, descriptors: descriptorsOf(house.gateway.pid()).length };
}

/** `null` = not there, or not whole yet. */
function readMeasured(path: string): Measured | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Measured;
  } catch {
    return null;
  }
}
