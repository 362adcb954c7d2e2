/** The loss over a large vocabulary: never a logit too many in memory, the same however it is cut, finite at the extremes. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { createGraph, input, linearCrossEntropy, mul } from "../../src/graph/build.js";
import type { Graph, Value } from "../../src/graph/ops.js";
import { exportGraph } from "../../src/onnx/export.js";
import { createCpuDevice } from "../../src/runtime/cpu.js";
import { randomStream } from "../../src/util/random.js";
import { decodeModel, encodeDecoded } from "../onnx-proto.js";

const [ROWS, WIDTH, VOCABULARY] = [8, 5, 301];
const device = createCpuDevice(2);
const stream = randomStream(5, "linear cross-entropy");
const uniform = (length: number, scale: number): Float32Array =>
  Float32Array.from({ length }, () => scale * (2 * stream.uniform() - 1));

interface Head {
  readonly graph: Graph;
  readonly outputs: ReadonlyMap<string, Value>;
}

function head(chunks: number, withGradient: boolean): Head {
  const graph = createGraph();
  const h = input(graph, "h", "f32", [ROWS, WIDTH]);
  const w = input(graph, "w", "f32", [VOCABULARY, WIDTH]);
  const targets = input(graph, "targets", "i64", [ROWS]);
  const weights = input(graph, "weights", "f32", [ROWS]);
  const loss = linearCrossEntropy(h, w, targets, weights, chunks);
  const [, dh, dw] = loss.node.outputs;
  return {
    graph,
    outputs: new Map([
      ["loss", loss],
      ...(withGradient
        ? ([
            ["dh", dh!],
            ["dw", dw!],
          ] as const)
        : []),
    ]),
  };
}

const inputs = {
  h: uniform(ROWS * WIDTH, 1),
  w: uniform(VOCABULARY * WIDTH, 1),
  targets: Array.from({ length: ROWS }, () => stream.integer(VOCABULARY)),
  weights: Float32Array.from({ length: ROWS }, (_, i) => (i === 3 ? 0 : 0.5 + i)),
};

async function run({ graph, outputs }: Head, given = inputs): Promise<Record<string, Float32Array>> {
  const program = await device.compile(graph, outputs);
  try {
    const results = await program.run({
      h: device.fromFloats(given.h, [ROWS, WIDTH]),
      w: device.fromFloats(given.w, [VOCABULARY, WIDTH]),
      targets: device.fromInts(given.targets, [ROWS]),
      weights: device.fromFloats(given.weights, [ROWS]),
    });
    const entries = Object.entries(results).map(async ([name, tensor]) => [name, await device.floats(tensor)] as const);
    return Object.fromEntries(await Promise.all(entries));
  } finally {
    await program[Symbol.asyncDispose]();
  }
}

/** The shape of every tensor that exists while the model runs, by making all of them outputs of a run without optimisations. */
async function shapesInside({ graph, outputs }: Head): Promise<(readonly number[])[]> {
  const model = decodeModel(exportGraph(graph, outputs).bytes);
  const made = model.graph.node!.flatMap((node) => node.output);
  const open = encodeDecoded({
    ...model,
    graph: { ...model.graph, value_info: [], output: made.map((name) => ({ name })) },
  });
  const session = await InferenceSession.create(open, { graphOptimizationLevel: "disabled" });
  try {
    const results = await session.run({
      h: new Tensor(inputs.h, [ROWS, WIDTH]),
      w: new Tensor(inputs.w, [VOCABULARY, WIDTH]),
      targets: new Tensor("int64", BigInt64Array.from(inputs.targets, BigInt), [ROWS]),
      weights: new Tensor(inputs.weights, [ROWS]),
    });
    expect(Object.keys(results).length).toBe(made.length);
    return Object.values(results).map(({ dims }) => dims);
  } finally {
    await session.release();
  }
}

const typesOf = ({ graph, outputs }: Head): string[] =>
  decodeModel(exportGraph(graph, outputs).bytes).graph.node!.map((node) => node.op_type);

describe("linearCrossEntropy", () => {
  it.each([2, 4, 8])("in %i chunks gives what it gives in one", async (chunks) => {
    const [whole, cut] = [await run(head(1, true)), await run(head(chunks, true))];
    for (const name of ["loss", "dh", "dw"]) {
      const scale = Math.max(...whole[name]!.map(Math.abs));
      // Only the order of at most eight additions differs: a few roundings of 6e-8 each.
      const errors = whole[name]!.map((x, i) => Math.abs(x - cut[name]![i]!) / scale);
      expect(Math.max(...errors)).toBeLessThan(5e-7);
    }
    // The loss alone is made by the same operations: the very bits.
    expect((await run(head(chunks, false))).loss).toEqual(cut.loss);
  });

  it("does not compute the derivatives of a loss that is only read", () => {
    expect(typesOf(head(2, true))).toContain("ScatterElements");
    expect(typesOf(head(2, true)).filter((type) => type === "Gemm")).toHaveLength(6); // logits, dh and dw, twice
    expect(typesOf(head(2, false)).filter((type) => type === "Gemm")).toHaveLength(2);
    for (const type of ["ScatterElements", "Exp"]) expect(typesOf(head(2, false))).not.toContain(type);
  });

  it.each([
    [1, true],
    [2, true],
    [4, true],
    [4, false],
  ])(
    "in %i chunks (gradient %s) never holds more than one chunk of logits in a tensor",
    async (chunks, withGradient) => {
      const shapes = await shapesInside(head(chunks, withGradient));
      const wide = shapes.filter((shape) => shape.length === 2 && shape[1] === VOCABULARY);
      expect(wide.length).toBe(chunks * (withGradient ? 4 : 2)); // logits, log-probabilities; probabilities, error
      for (const shape of wide) expect(shape[0]).toBe(ROWS / chunks);
      const largest = Math.max((ROWS / chunks) * VOCABULARY, VOCABULARY * WIDTH);
      for (const shape of shapes) expect(shape.reduce((a, b) => a * b, 1)).toBeLessThanOrEqual(largest);
    },
  );

  it("begins a chunk only when the one before is done: each waits for all that reads the last one's error", () => {
    const { graph, outputs } = head(4, true);
    const nodes = decodeModel(exportGraph(graph, outputs).bytes).graph.node!;
    const producer = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
    const needs = (name: string, seen = new Set<string>()): ReadonlySet<string> => {
      for (const one of producer.get(name)?.input ?? []) if (!seen.has(one)) needs(one, seen.add(one));
      return seen;
    };
    const logits = nodes.filter((node) => node.op_type === "LogSoftmax").map((node) => node.input![0]!);
    const errors = nodes.filter((node) => node.op_type === "ScatterElements").map((node) => node.output[0]!);
    expect(logits).toHaveLength(4);
    for (let i = 1; i < 4; i++) {
      const readers = nodes.filter(({ input }) => input!.includes(errors[i - 1]!)).flatMap(({ output }) => output!);
      expect(readers).toHaveLength(2); // the products of dh and dw
      for (const made of readers) expect(needs(logits[i]!)).toContain(made);
    }
  });

  it("stays finite and right where logits reach ±100 and beyond", async () => {
    const w = Float32Array.from(inputs.w, (_, i) =>
      i % WIDTH === 0 ? (Math.floor(i / WIDTH) % 2 === 0 ? 100 : -100) : 0,
    );
    const h = Float32Array.from(inputs.h, (_, i) => (i % WIDTH === 0 ? (i / WIDTH < 4 ? 1 : 10) : 0));
    const targets = inputs.targets.map((_, i) => i % 2); // even entries are likely (+100), odd ones are not (-100)
    const { loss, dh, dw } = await run(head(2, true), { ...inputs, h, w, targets });
    for (const tensor of [loss, dh, dw]) for (const x of tensor!) expect(Number.isFinite(x)).toBe(true);
    // ln of 151 equal winners, and for odd rows 200 or 2,000 more.
    const nll = (i: number): number => Math.log(151) + (i % 2 === 0 ? 0 : i < 4 ? 200 : 2000);
    const expected = inputs.weights.reduce((total, weight, i) => total + weight * nll(i), 0);
    expect(Math.abs(loss![0]! / expected - 1)).toBeLessThan(1e-6);
    // A row that missed entirely pushes by the whole of its weight: -w[target] + mean of the winners = 100 + 100.
    expect(dh![1 * WIDTH]! / inputs.weights[1]!).toBeCloseTo(200, 3);
    expect(dh![2 * WIDTH]).toBeCloseTo(0, 3);
  });

  it("takes a scale on the loss through to both gradients", async () => {
    const { graph, outputs } = head(2, true);
    const plain = await run({ graph, outputs });
    const scaled = await run({ graph, outputs: new Map([...outputs].map(([name, value]) => [name, mul(value, 4)])) });
    for (const name of ["loss", "dh", "dw"]) expect(scaled[name]).toEqual(plain[name]!.map((x) => 4 * x));
  });
});
