/**
 * Figures out of times, the machine, and its matrix-product peak in ONNX Runtime.
 * May not know: any bench.
 */
import { arch, cpus, loadavg, platform } from "node:os";
import { createGraph, input, matmul, sum } from "../src/graph/build.js";
import { createCpuDevice } from "../src/runtime/cpu.js";
import { invariant, present } from "../src/util/errors.js";
import { availableCores } from "../src/util/system.js";
import type { Figure } from "./bench.js";

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return (present(low, "a time") + present(high, "a time")) / 2;
}

/** How long `work` takes, in seconds. */
export async function seconds(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/**
 * Work in a second: the median, the slowest and the fastest run.
 *
 * @param amount     what one run works through, in the unit that the figure counts
 * @param times      seconds of each run
 * @param operations floating-point operations of one run; undefined where multiplying is not the work
 */
export function rate({ work, unit, amount, times, operations, more }: Rated): Figure {
  const typical = median(times);
  return {
    ...{ work, unit, figure: amount / typical },
    ...{ lowest: amount / Math.max(...times), highest: amount / Math.min(...times) },
    ...(operations === undefined ? {} : { gigaflops: operations / typical / 1e9 }),
    ...(more === undefined ? {} : { more }),
  };
}
interface Rated {
  readonly work: string;
  readonly unit: string;
  readonly amount: number;
  readonly times: readonly number[];
  readonly operations?: number | undefined;
  readonly more?: Figure["more"];
}

/** Seconds: the median, the fastest and the slowest run. */
export const duration = (work: string, times: readonly number[], more: Figure["more"] = {}): Figure => ({
  ...{ work, unit: "s", figure: median(times), more },
  ...{ lowest: Math.min(...times), highest: Math.max(...times) },
});

const SIZE = 1024;

/**
 * The best of several runs of x · Wᵀ over 1024 × 1024 matrices, in GFLOP/s: our own graph, writer and runtime, so that it is the
 * rate at which nothing but multiplying would run. NT, because that is how linear layers lie in memory.
 */
export async function gemmPeak(threads: number, quick: boolean): Promise<number> {
  const chain = quick ? 1 : 10; // products in a row: what a call costs by itself disappears beside ten
  const device = createCpuDevice(threads);
  const graph = createGraph();
  const [x, weight] = [input(graph, "x", "f32", [SIZE, SIZE]), input(graph, "weight", "f32", [SIZE, SIZE])];
  let product = x;
  for (let i = 0; i < chain; i++) product = matmul(product, weight, { transB: true });
  const program = await device.compile(graph, new Map([["total", sum(product, [0, 1])]]));
  const filled = (value: number) => device.fromFloats(new Float32Array(SIZE * SIZE).fill(value), [SIZE, SIZE]);
  const feeds = { x: filled(1), weight: filled(1 / SIZE) }; // powers of two: every product is 1 again, without rounding
  let best = Number.POSITIVE_INFINITY;
  try {
    for (let run = 0; run < (quick ? 3 : 9); run++) {
      const started = performance.now();
      const [total] = await device.floats(present((await program.run(feeds)).total, "total"));
      if (run > 0) best = Math.min(best, (performance.now() - started) / 1000); // the first grows memory
      invariant(total === SIZE * SIZE, `the product of the peak is ${total}, not ${SIZE * SIZE}`);
    }
  } finally {
    await program[Symbol.asyncDispose]();
  }
  return (chain * 2 * SIZE ** 3) / best / 1e9;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly threads: number;
  readonly node: string;
  readonly system: string;
  readonly date: string;
  /** How many threads wanted a core in the last minute; null where the system does not tell. */
  readonly load: number | null;
}

/** What figures depend on. */
export const machine = (threads: number): Machine => ({
  processor: cpus()[0]?.model.trim() ?? "unknown processor",
  cores: availableCores(),
  threads,
  node: process.version,
  system: `${platform()} ${arch()}`,
  date: new Date().toISOString().slice(0, 10),
  load: platform() === "win32" ? null : Number((loadavg()[0] ?? 0).toFixed(2)),
});
