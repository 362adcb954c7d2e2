/** Weights in 8 bits: how far rounding moves them, ONNX Runtime's integer products against the interpreter, and rows in any company. */
import { describe, expect, it } from "vitest";
import { add, createGraph, gather, input, matmul, mul } from "../graph/build.js";
import { checkGraph } from "../graph/check.js";
import { interpret } from "../graph/interpret.js";
import { type Doubles, doubles } from "../graph/interpret-kernels.js";
import { createCpuDevice } from "../runtime/cpu.js";
import { randomStream } from "../util/random.js";
import { bakedWeight, quantize, quantizedLinear, quantizeLinears } from "./quantize.js";

const device = createCpuDevice(2);
const random = randomStream(0, "weights");
const normal = (count: number): Float32Array =>
  Float32Array.from({ length: count }, () => random.uniform() + random.uniform() + random.uniform() - 1.5);

async function codesAndScales(values: Float32Array, shape: readonly [number, number], transposed = false) {
  const weight = quantize(device, values, shape, transposed);
  const { codes } = weight as unknown as { codes: { values: Uint8Array; shape: readonly number[] } };
  return { weight, codes, scales: await device.floats(weight.scales) };
}

describe("quantize", () => {
  it.each([
    [3, 64],
    [5, 100],
    [1, 7],
  ])("moves each of %i × %i values by at most half a step of its block, and zero not at all", async (rows, width) => {
    const values = normal(rows * width);
    values[0] = 0;
    const { codes, scales } = await codesAndScales(values, [rows, width]);
    const [, blocks, size] = codes.shape as [number, number, number];
    expect(blocks).toBe(Math.ceil(width / size));
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < blocks * size; k++) {
        const scale = scales[row * blocks + Math.floor(k / size)]!;
        const found = (codes.values[row * blocks * size + k]! - 128) * scale;
        const wanted = k < width ? values[row * width + k]! : 0; // what fills the last block is 0
        expect(Math.abs(found - wanted)).toBeLessThanOrEqual(scale * 0.50001);
      }
    }
    expect(codes.values[0]).toBe(128);
  });

  it("takes either layout, and a block of zeros", async () => {
    const values = normal(6);
    const turned = Float32Array.from({ length: 6 }, (_, i) => values[(i % 2) * 3 + (i >> 1)]!); // [3,2] of [2,3]
    const [straight, transposed] = [await codesAndScales(values, [2, 3]), await codesAndScales(turned, [2, 3], true)];
    expect(transposed.codes.values).toEqual(straight.codes.values);
    expect(transposed.scales).toEqual(straight.scales);
    const zeros = await codesAndScales(new Float32Array(4), [2, 2]);
    expect([...zeros.scales]).toEqual([0, 0]);
    expect(zeros.codes.values.every((code) => code === 128)).toBe(true);
  });
});

async function linearProgram(rows: number, width: number) {
  const graph = createGraph();
  const x = input(graph, "x", "f32", ["R", width]);
  const y = quantizedLinear(x, "w", [rows, width]);
  checkGraph(graph);
  const made = await codesAndScales(normal(rows * width), [rows, width]);
  const program = await device.compile(graph, new Map([["y", y]]), { baked: bakedWeight("w", made.weight) });
  const fixed = new Map<string, Doubles>([
    ["w.codes", { shape: made.codes.shape, data: Float64Array.from(made.codes.values) }],
    ["w.scales", { shape: made.codes.shape.slice(0, 2), data: Float64Array.from(made.scales) }],
  ]);
  const run = async (values: Float32Array): Promise<Float32Array> => {
    const { y: found } = await program.run({ x: device.fromFloats(values, [values.length / width, width]) });
    return device.floats(found!);
  };
  return { graph, y, fixed, run, close: () => program[Symbol.asyncDispose]() };
}

describe("quantizedLinear", () => {
  // A real width, one that ends within a block, and one smaller than a block.
  it.each([
    [40, 576],
    [33, 100],
    [7, 24],
  ])("[R, %i] of %i is what the interpreter makes of codes, scales and rounded rows", async (rows, width) => {
    const program = await linearProgram(rows, width);
    // Whole numbers with ±127 in every block are their own 8-bit form: nothing depends on how a tie is rounded.
    const values = Float32Array.from({ length: 6 * width }, (_, i) =>
      (i % width) % 8 === 0 ? 127 : random.integer(255) - 127,
    );
    const found = await program.run(values);
    const x: Doubles = doubles([6, width], (i) => values[i]!);
    const [wanted] = interpret(program.graph, new Map([...program.fixed, ["x", x]]), [program.y]);
    const largest = Math.max(...wanted!.data.map(Math.abs));
    found.forEach((value, i) => {
      expect(Math.abs(value - wanted!.data[i]!)).toBeLessThan(3e-6 * largest); // sums of blocks in single precision
    });
    await program.close();
  });

  it("gives a row the same bits among any even number of rows", async () => {
    const width = 576;
    const program = await linearProgram(192, width);
    const values = normal(70 * width);
    const all = await program.run(values);
    for (const [from, count] of [
      [0, 2],
      [3, 2],
      [5, 4],
      [1, 6],
      [7, 16],
      [2, 38],
      [4, 66],
    ] as const) {
      const some = await program.run(values.slice(from * width, (from + count) * width));
      expect(some).toEqual(all.slice(from * 192, (from + count) * 192));
    }
    await program.close();
  });
});

it("quantizeLinears turns products with parameters into 8 bits, and leaves look-ups, sums and other products", () => {
  const graph = createGraph();
  const ids = input(graph, "ids", "i64", ["N"]);
  const table = input(graph, "table", "f32", [10, 8]);
  const square = input(graph, "square", "f32", [8, 8]);
  const bias = input(graph, "bias", "f32", [8]);
  const x = gather(table, ids);
  const h = add(matmul(x, square), bias); // [in, out]
  const own = matmul(h, mul(square, 2), { transB: true });
  const logits = matmul(own, table, { transB: true });
  const parameters = new Map([
    ["table", table],
    ["square", square],
    ["bias", bias],
  ]);
  const made = quantizeLinears(graph, new Map([["logits", logits]]), parameters);
  checkGraph(made.graph);
  expect(made.weights).toEqual(
    new Map([
      ["square", { name: "square", shape: [8, 8], transposed: true }],
      ["table", { name: "table", shape: [10, 8], transposed: false }],
    ]),
  );
  const ops = made.graph.nodes.map(({ op }) => op).filter((op) => op !== "input" && op !== "scalar");
  expect(ops).toEqual(["gather", "linearQ8", "add", "mul", "matmul", "linearQ8"]);
});
