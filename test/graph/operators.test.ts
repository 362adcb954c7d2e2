/**
 * Every operator, forwards and backwards: ONNX Runtime against the interpreter, and the gradient against central differences
 * of the interpreter in double precision.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cast, createGraph, input, mul, sum } from "../../src/graph/build.js";
import { checkGraph } from "../../src/graph/check.js";
import { grad } from "../../src/graph/grad.js";
import { gradient } from "../../src/graph/gradient.js";
import { interpret } from "../../src/graph/interpret.js";
import { type Doubles, doubles } from "../../src/graph/interpret-kernels.js";
import { liveFor } from "../../src/graph/live.js";
import type { Graph, Op, Value } from "../../src/graph/ops.js";
import { createCpuDevice } from "../../src/runtime/cpu.js";
import type { Tensor } from "../../src/runtime/device.js";
import { cases } from "./cases.js";
import { dims, type Feed, type Sample } from "./samples.js";

const RUNS = 8;
/**
 * Relative to the largest element of the tensor, or 1: single precision rounds by 6e-8 and a sum here has a few dozen terms, so
 * 60 runs of each operator differed by at most 5e-7; FastGelu's gradient, which a factor of 5 multiplies, by 1.5e-6.
 */
const SINGLE = 3e-6;
/**
 * A central difference with step h errs by h²/6 times the third derivative (up to about 100 here, where a norm is close to its
 * epsilon) and by 1e-16 / h: 60 runs differed by at most 5e-8.
 */
const STEP = 1e-4;
const DIFFERENCE = 3e-7;
/** Elements of each input that are moved. */
const MOVED = 6;

const device = createCpuDevice(2);
const ops = Object.keys(cases) as Op[];

function worst(actual: ArrayLike<number>, expected: Doubles): number {
  expect(actual.length).toBe(expected.data.length);
  const scale = expected.data.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  return expected.data.reduce((most, x, i) => {
    const error = Math.abs(actual[i]! - x) / scale;
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(most, error);
  }, 0);
}

interface Built {
  readonly graph: Graph;
  readonly feeds: Map<string, Doubles>;
  readonly call: Value;
  readonly inputs: readonly Value[];
}

function buildOf(op: Op, { feeds, build }: Sample): Built {
  const graph = createGraph();
  const inputs = feeds.map(({ name, dtype, axes }) => input(graph, name, dtype, dims(axes)));
  const call = build(graph, inputs);
  expect(call.node.op).toBe(op);
  return { graph, feeds: new Map(feeds.map((feed) => [feed.name, feed.values])), call, inputs };
}

function toDevice({ data, shape }: Doubles, dtype: string): Tensor {
  if (dtype === "u8") return device.fromBytes(Uint8Array.from(data), shape);
  return dtype === "i64" ? device.fromInts(Array.from(data), shape) : device.fromFloats(Float32Array.from(data), shape);
}

/** Runs `outputs` on ONNX Runtime and gives the largest error of each against the interpreter. */
async function errorsOf({ graph, feeds }: Built, outputs: readonly Value[]): Promise<number[]> {
  checkGraph(graph);
  const expected = interpret(graph, feeds, outputs);
  const program = await device.compile(graph, new Map(outputs.map((value, i) => [`out${i}`, value])));
  try {
    const fed = [...feeds].map(([name, values]) => [name, toDevice(values, graph.inputs.get(name)!.type.dtype)]);
    const results = await program.run(Object.fromEntries(fed));
    return await Promise.all(
      outputs.map(async (value, i) => {
        const tensor = results[`out${i}`]!;
        expect(tensor.shape).toEqual(expected[i]!.shape);
        const actual = value.type.dtype === "f32" ? await device.floats(tensor) : await device.ints(tensor);
        return worst(actual, expected[i]!);
      }),
    );
  } finally {
    await program[Symbol.asyncDispose]();
  }
}

/**
 * Everything that the operator gives, truth values as integers, which a device can read; and the inputs that it does not use,
 * whose shapes alone matter.
 */
function outputsOf({ graph, call, inputs }: Built): Value[] {
  const { values } = liveFor(graph, [call]);
  const given = call.node.outputs.map((value) => (value.type.dtype === "bool" ? cast(value, "i64") : value));
  return [...given, ...inputs.filter((value) => !values.has(value))];
}

const all = (value: Value): number[] => value.type.shape.map((_, i) => i);

/** loss = Σ cotangent · y, so that what flows back differs from element to element. */
function lossOf(built: Built): Value {
  const [y] = interpret(built.graph, built.feeds, [built.call]);
  const cotangent = input(built.graph, "cotangent", "f32", built.call.type.shape);
  built.feeds.set(
    "cotangent",
    doubles(y!.shape, (i) => Math.fround(Math.cos(1 + 2.3 * i))),
  );
  return sum(mul(built.call, cotangent), all(built.call));
}

function centralDifference({ graph, feeds }: Built, loss: Value, name: string, i: number): number {
  const x = feeds.get(name)!;
  const at = (delta: number): number => {
    const moved = { shape: x.shape, data: x.data.map((value, j) => (j === i ? value + delta : value)) };
    return interpret(graph, new Map(feeds).set(name, moved), [loss])[0]!.data[0]!;
  };
  return (at(STEP) - at(-STEP)) / (2 * STEP);
}

describe.each(ops.filter((op) => gradient[op] === null))("%s", (op) => {
  it("gives on ONNX Runtime what the interpreter gives", async () => {
    await fc.assert(
      fc.asyncProperty(cases[op].samples, async (sample) => {
        const built = buildOf(op, sample);
        for (const error of await errorsOf(built, outputsOf(built))) expect(error).toBeLessThan(SINGLE);
      }),
      { numRuns: RUNS },
    );
  });
});

describe.each(ops.filter((op) => gradient[op] !== null))("%s", (op) => {
  it("gives on ONNX Runtime what the interpreter gives; its gradient does, too, and is the slope", async () => {
    await fc.assert(
      fc.asyncProperty(cases[op].samples, async (sample) => {
        const built = buildOf(op, sample);
        const moving = sample.feeds.filter((feed) => feed.differentiable);
        const outputs = outputsOf(built);
        const loss = lossOf(built);
        const gradients = grad(
          loss,
          moving.map((feed) => built.graph.inputs.get(feed.name)!),
        );
        for (const error of await errorsOf(built, [...outputs, loss, ...gradients])) expect(error).toBeLessThan(SINGLE);
        expectSlopes(built, loss, moving, gradients);
      }),
      { numRuns: RUNS },
    );
  });
});

function expectSlopes(built: Built, loss: Value, moving: readonly Feed[], gradients: readonly Value[]): void {
  expect(moving.length).toBeGreaterThan(0);
  interpret(built.graph, built.feeds, gradients).forEach((given, i) => {
    const { name, values } = moving[i]!;
    expect(given.shape).toEqual(values.shape);
    const stride = Math.ceil(given.data.length / MOVED);
    for (let j = 0; j < given.data.length; j += stride) {
      const slope = centralDifference(built, loss, name, j);
      expect(Math.abs(given.data[j]! - slope), `${name}[${j}]`).toBeLessThan(DIFFERENCE * Math.max(1, Math.abs(slope)));
    }
  });
}
