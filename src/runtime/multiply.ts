/** One matrix product through our own graph, writer and ONNX Runtime: do they work here, and how fast? */
import { createGraph, input, matmul } from "../graph/build.js";
import { present } from "../util/errors.js";
import { availableCores } from "../util/system.js";
import { createCpuDevice } from "./cpu.js";

/** Rows and columns: 2 n³ = 2.1 GFLOP, some tens of milliseconds on a laptop. */
const n = 1024;

/** The product of two matrices whose product is known: a[i, k] = i mod 7 and b[k, j] = j mod 5 give n · (i mod 7) · (j mod 5). */
export async function multiplyOnce(
  threads = availableCores(),
): Promise<{ threads: number; gigaflops: number; exact: boolean }> {
  const device = createCpuDevice(threads);
  const graph = createGraph();
  const product = matmul(input(graph, "a", "f32", [n, n]), input(graph, "b", "f32", [n, n]));
  const program = await device.compile(graph, new Map([["product", product]]));
  try {
    const a = device.fromFloats(
      Float32Array.from({ length: n * n }, (_, at) => Math.floor(at / n) % 7),
      [n, n],
    );
    const b = device.fromFloats(
      Float32Array.from({ length: n * n }, (_, at) => (at % n) % 5),
      [n, n],
    );
    let best = Number.POSITIVE_INFINITY;
    let exact = true;
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      const results = await program.run({ a, b });
      best = Math.min(best, performance.now() - start);
      const values = await device.floats(present(results.product, "product"));
      exact &&= values.every((value, at) => value === n * (Math.floor(at / n) % 7) * ((at % n) % 5)); // whole numbers below 2^24: no rounding
    }
    return { threads, gigaflops: (2 * n ** 3) / best / 1e6, exact };
  } finally {
    await program[Symbol.asyncDispose]();
  }
}
