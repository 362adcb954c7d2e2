/**
 * What every bench shares: repetition, one result, the machine, and its matrix-product peak in ONNX Runtime.
 * May not know: any bench.
 */
import { arch, cpus, loadavg, platform } from "node:os";
import { createGraph, input, matmul, sum } from "../dist/graph/build.js";
import { createCpuDevice } from "../dist/runtime/cpu.js";
import { availableCores } from "../dist/util/system.js";

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How long `work` takes, in seconds. */
export async function seconds(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** What `work` gives in each of `runs` runs; one more before them grows memory and caches, and does not count. */
export async function repeat(runs, work) {
  await work();
  const results = [];
  for (let run = 0; run < runs; run++) results.push(await work());
  return results;
}

/**
 * One line of the table.
 *
 * @param amount     what one run works through, in the unit that the figure counts
 * @param times      seconds of each run
 * @param operations floating-point operations of one run; undefined where multiplying is not the work
 * @param peak       as `besidePeak` gives it, GFLOP/s
 */
export function result({ work, unit, amount, times, operations, peak }) {
  const typical = median(times);
  const gigaflops = operations === undefined ? null : operations / typical / 1e9;
  return {
    work,
    unit,
    figure: amount / typical,
    lowest: amount / Math.max(...times),
    highest: amount / Math.min(...times),
    runs: times.length,
    seconds: typical,
    gigaflops,
    gemm_peak: peak.best,
    gemm_peak_before: peak.before,
    gemm_peak_after: peak.after,
    ratio: gigaflops === null ? null : gigaflops / peak.best,
  };
}

/** Carries out `work` between two measurements of the peak, so that a figure is read beside the machine of its own minute. */
export async function besidePeak({ threads, quick }, work) {
  const before = await gemmPeak(threads, quick);
  const value = await work();
  const after = await gemmPeak(threads, quick);
  return { value, peak: { before, after, best: Math.max(before, after) } };
}

const SIZE = 1024;

/**
 * The best of several runs of x · Wᵀ over 1024 × 1024 matrices, in GFLOP/s: our own graph, writer and runtime, so that it is the
 * rate at which nothing but multiplying would run. NT, because that is how linear layers lie in memory.
 */
export async function gemmPeak(threads, quick) {
  const chain = quick ? 1 : 10; // products in a row: what a call costs by itself disappears beside ten
  const device = createCpuDevice(threads);
  const graph = createGraph();
  const [x, weight] = ["x", "weight"].map((name) => input(graph, name, "f32", [SIZE, SIZE]));
  let product = x;
  for (let i = 0; i < chain; i++) product = matmul(product, weight, { transB: true });
  const program = await device.compile(graph, new Map([["total", sum(product, [0, 1])]]));
  const filled = (value) => device.fromFloats(new Float32Array(SIZE * SIZE).fill(value), [SIZE, SIZE]);
  const feeds = { x: filled(1), weight: filled(1 / SIZE) }; // powers of two: every product is 1 again, without rounding
  try {
    const times = await repeat(quick ? 2 : 8, () => seconds(() => checked(device, program, feeds)));
    return (chain * 2 * SIZE ** 3) / Math.min(...times) / 1e9;
  } finally {
    await program[Symbol.asyncDispose]();
  }
}

async function checked(device, program, feeds) {
  const { total } = await program.run(feeds);
  const [value] = await device.floats(total);
  if (value !== SIZE * SIZE) throw new Error(`internal: the product of the peak is ${value}, not ${SIZE * SIZE}`);
}

/** What figures depend on. `load` is how many threads wanted a core in the last minute, where the system tells. */
export function machine(threads) {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableCores(),
    threads,
    node: process.version,
    system: `${platform()} ${arch()}`,
    date: new Date().toISOString().slice(0, 10),
    load: platform() === "win32" ? null : Number(loadavg()[0].toFixed(2)),
  };
}
