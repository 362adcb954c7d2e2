import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  add,
  broadcast,
  createGraph,
  exp,
  gather,
  input,
  less,
  linear,
  mul,
  neg,
  scatterAdd,
  sqrt,
  sub,
  sum,
} from "../graph/build.js";
import type { Graph, Value } from "../graph/ops.js";
import { InvariantError, UserError } from "../util/errors.js";
import { randomStream } from "../util/random.js";
import { createCpuDevice, openSessionCount } from "./cpu.js";
import type { CompileOptions, Program, Tensor } from "./device.js";

const device = createCpuDevice(2);
const programs: Program[] = [];

/** Compiles, and disposes when the test is over. */
async function compile(graph: Graph, outputs: Record<string, Value>, options?: CompileOptions): Promise<Program> {
  const program = await device.compile(graph, new Map(Object.entries(outputs)), options);
  programs.push(program);
  return program;
}

afterEach(async () => {
  for (const program of programs.splice(0)) await program[Symbol.asyncDispose]();
  expect(openSessionCount()).toBe(0); // nothing leaks
});

const floats = (...values: number[]): Tensor => device.fromFloats(Float32Array.from(values), [values.length]);
const read = async (tensor: Tensor | undefined): Promise<number[]> => Array.from(await device.floats(tensor!));
const noise = (seed: number, length: number): Float32Array => {
  const stream = randomStream(seed, "noise");
  return Float32Array.from({ length }, () => stream.uniform() - 0.5);
};

describe("an update in place", () => {
  it("writes over the input it is given and gives that very handle back", async () => {
    const graph = createGraph();
    const [w, g] = [input(graph, "w", "f32", ["N"]), input(graph, "g", "f32", ["N"])];
    const program = await compile(graph, { next: sub(w, mul(g, 0.5)) });
    const weights = floats(1, 2, 3);
    const results = await program.run({ w: weights, g: floats(2, 2, -4) }, { next: weights });
    expect(results.next).toBe(weights);
    expect(await read(weights)).toEqual([0, 1, 5]);
    await program.run({ w: weights, g: floats(2, 2, -4) }, { next: weights });
    expect(await read(weights)).toEqual([-1, 0, 7]);
  });

  it("carries several states that feed one another, as an optimiser does", async () => {
    const graph = createGraph();
    const [w, m, v, g] = ["w", "m", "v", "g"].map((name) => input(graph, name, "f32", [2])) as [
      Value,
      Value,
      Value,
      Value,
    ];
    const m2 = add(mul(m, 0.5), mul(g, 0.5));
    const v2 = add(mul(v, 0.75), mul(mul(g, g), 0.25));
    const w2 = sub(w, mul(0.5, mul(m2, sqrt(v2))));
    const program = await compile(graph, { w2, m2, v2 });
    const state = { w: floats(1, -1), m: floats(2, 0), v: floats(4, 0) };
    await program.run({ ...state, g: floats(2, 4) }, { w2: state.w, m2: state.m, v2: state.v });
    expect(await read(state.m)).toEqual([2, 2]);
    expect(await read(state.v)).toEqual([4, 4]);
    expect(await read(state.w)).toEqual([-1, -3]);
  });

  it("is refused where another output is made of what would be overwritten", async () => {
    const graph = createGraph();
    const w = input(graph, "w", "f32", [3]);
    const program = await compile(graph, { next: mul(w, 10), total: sum(w, [0]) });
    const weights = floats(1, 2, 3);
    await expect(program.run({ w: weights }, { next: weights })).rejects.toThrow(
      "output next would overwrite input w while it is needed",
    );
    expect(await read(weights)).toEqual([1, 2, 3]);
    const last = device.view(device.view(weights, 1, [2]), 1, []); // of the same memory
    await expect(program.run({ w: weights }, { total: last })).rejects.toThrow("output total would overwrite input w");
    const { total } = await program.run({ w: weights }, { next: floats(0, 0, 0) });
    expect(await read(total)).toEqual([6]);
  });

  it("is refused where the shape is another", async () => {
    const graph = createGraph();
    const program = await compile(graph, { y: neg(input(graph, "x", "f32", ["N"])) });
    await expect(program.run({ x: floats(1, 2, 3) }, { y: floats(0, 0) })).rejects.toThrow(/shape/i);
  });
});

describe("a view", () => {
  it("is read and written through, at its own place", async () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", [2, 2]);
    const program = await compile(graph, { y: mul(x, 10) });
    const memory = floats(0, 1, 2, 3, 4, 5, 6, 7);
    await program.run({ x: device.view(memory, 0, [2, 2]) }, { y: device.view(memory, 4, [2, 2]) });
    expect(await read(memory)).toEqual([0, 1, 2, 3, 0, 10, 20, 30]);
    const overlapping = program.run({ x: device.view(memory, 1, [2, 2]) }, { y: device.view(memory, 2, [2, 2]) });
    await expect(overlapping).rejects.toThrow(InvariantError);
    await program.run({ x: device.view(memory, 1, [2, 2]) }, { y: device.view(memory, 1, [2, 2]) });
    expect(await read(memory)).toEqual([0, 10, 20, 30, 0, 10, 20, 30]);
  });

  it("never reaches outside, nor do write, fill and copy", () => {
    const tensor = floats(1, 2, 3, 4);
    expect(() => device.view(tensor, 2, [3])).toThrow(InvariantError);
    expect(() => device.view(tensor, -1, [2])).toThrow(InvariantError);
    expect(() => device.write(tensor, 3, [1, 2])).toThrow(InvariantError);
    expect(() => device.fill(tensor, 0, 2, 3)).toThrow(InvariantError);
    expect(() => device.copy(tensor, floats(1, 2), [{ from: 1, to: 0, length: 2 }])).toThrow(InvariantError);
    expect(() => device.copy(tensor, floats(1, 2), [{ from: 0, to: 3, length: 2 }])).toThrow(InvariantError);
  });

  it("writes, fills and copies regions", async () => {
    const tensor = floats(1, 2, 3, 4, 5);
    device.write(tensor, 1, [20, 30]);
    device.fill(tensor, 9, 3);
    device.copy(tensor, floats(7, 8), [{ from: 1, to: 0, length: 1 }]);
    expect(await read(tensor)).toEqual([8, 20, 30, 9, 9]);
    const ids = device.fromInts([1, 2, 3], [3]);
    device.write(ids, 1, [-1, 2 ** 40]);
    expect(await device.ints(ids)).toEqual([1, -1, 2 ** 40]);
  });

  it.each([1, 256, 257])("copies a run of %i from the middle of one to the middle of another", async (length) => {
    const source = Array.from({ length: length + 5 }, (_, i) => i + 1);
    const target = device.zeros([length + 9]);
    device.copy(target, floats(...source), [{ from: 3, to: 4, length }]);
    const expected = [0, 0, 0, 0, ...source.slice(3, 3 + length), 0, 0, 0, 0, 0];
    expect(await read(target)).toEqual(expected);
  });
});

describe("constants", () => {
  it.each([3, 300])("of %i rows give what they give when they are fed", async (rows) => {
    const build = (): { graph: Graph; outputs: Record<string, Value> } => {
      const graph = createGraph();
      const [x, w] = [input(graph, "x", "f32", ["N", 4]), input(graph, "layer.0/w", "f32", [rows, 4])];
      const ids = input(graph, "ids", "i64", [2]);
      return { graph, outputs: { y: linear(x, w), rows: gather(w, ids) } };
    };
    const feeds = {
      x: device.fromFloats(noise(1, 8), [2, 4]),
      "layer.0/w": device.fromFloats(noise(2, 4 * rows), [rows, 4]),
      ids: device.fromInts([2, 0], [2]),
    };
    const [one, two] = [build(), build()];
    const fed = await compile(one.graph, one.outputs);
    const baked = await compile(two.graph, two.outputs, { baked: { "layer.0/w": feeds["layer.0/w"], ids: feeds.ids } });
    expect(baked.inputNames).toEqual(["x"]);
    const [expected, actual] = [await fed.run(feeds), await baked.run({ x: feeds.x })];
    expect(await read(actual.y)).toEqual(await read(expected.y));
    expect(await read(actual.rows)).toEqual(await read(expected.rows));
  });
});

describe("a program", () => {
  it("may be disposed twice, counts while it is open, and is not run afterwards", async () => {
    const graph = createGraph();
    const program = await device.compile(graph, new Map([["y", neg(input(graph, "x", "f32", [1]))]]));
    expect(openSessionCount()).toBe(1);
    await program[Symbol.asyncDispose]();
    await program[Symbol.asyncDispose]();
    expect(openSessionCount()).toBe(0);
    await expect(program.run({ x: floats(1) })).rejects.toThrow("a disposed program was run");
  });

  it("ignores what it does not need and names what it lacks", async () => {
    const graph = createGraph();
    const [x] = [input(graph, "x", "f32", ["N"]), input(graph, "unused", "f32", ["N"])];
    const program = await compile(graph, { y: neg(x), copy: x });
    expect(program.inputNames).toEqual(["x"]);
    const results = await program.run({ x: floats(1, -2), other: floats(3) });
    expect([await read(results.y), await read(results.copy)]).toEqual([
      [-1, 2],
      [1, -2],
    ]);
    await expect(program.run({ other: floats(3) })).rejects.toThrow("input x is missing");
  });

  it("computes with numbers too small to be normal as with zero", async () => {
    const graph = createGraph();
    const program = await compile(graph, { y: mul(input(graph, "x", "f32", ["N"]), 0.5) });
    const { y } = await program.run({ x: floats(2 ** -126, 1) });
    expect(await read(y)).toEqual([0, 0.5]);
  });

  it("says that memory is short as the user's mistake, with a remedy", async () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", ["N"]);
    const whole = broadcast(sum(x, [0]), [2 ** 26, 2 ** 26]); // 2^54 bytes
    const program = await compile(graph, { y: sum(exp(whole), [0, 1]) });
    const failure = await program.run({ x: floats(1) }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as UserError).line).toMatch(/^out of memory; compute less at once/);
    expect(() => device.zeros([2 ** 40, 2 ** 10])).toThrow(UserError);
  });

  it("refuses to read one type as another", async () => {
    const graph = createGraph();
    const x = input(graph, "x", "f32", ["N"]);
    const program = await compile(graph, { y: less(x, 0) });
    const { y } = await program.run({ x: floats(1) });
    expect(y!.elementType).toBe("bool");
    expect(() => device.floats(y!)).toThrow("bool read as floats");
    expect(() => device.fromFloats(Float32Array.of(1, 2), [3])).toThrow(InvariantError);
  });
});

describe("the same program on the same inputs", () => {
  it("gives the same bits every time, with repeated ids, and the right sum", async () => {
    const [ids, rows, width] = [4096, 300, 640];
    const graph = createGraph();
    const base = input(graph, "base", "f32", [rows, width]);
    const at = input(graph, "ids", "i64", ["N"]);
    const updates = input(graph, "updates", "f32", ["N", width]);
    const program = await compile(graph, { total: scatterAdd(base, at, updates) });
    const stream = randomStream(1, "ids");
    const places = Array.from({ length: ids }, () => stream.integer(rows));
    const values = noise(2, ids * width);
    const expected = new Float64Array(rows * width);
    places.forEach((row, n) => {
      for (let i = 0; i < width; i++) expected[row * width + i]! += values[n * width + i]!;
    });
    const feeds = {
      base: device.zeros([rows, width]),
      ids: device.fromInts(places, [ids]),
      updates: device.fromFloats(values, [ids, width]),
    };
    const first = Float32Array.from(await device.floats((await program.run(feeds)).total!));
    // About 14 numbers below 1/2 are summed: each addition rounds by at most 2^-24 of a sum below 8.
    expect(first.reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0)).toBeLessThan(
      14 * 8 * 2 ** -24,
    );
    for (let run = 1; run < 5; run++) {
      const again = await device.floats((await program.run(feeds)).total!);
      expect(Buffer.compare(Buffer.from(again.buffer), Buffer.from(first.buffer))).toBe(0);
    }
  });

  it("gives the same bits for products and sums of any shape", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 300 }), async (rows, width) => {
        const graph = createGraph();
        const [x, w] = [input(graph, "x", "f32", [rows, width]), input(graph, "w", "f32", [64, width])];
        const y = linear(x, w);
        const program = await compile(graph, { y, total: sum(exp(y), [0, 1]) });
        const feeds = {
          x: device.fromFloats(noise(1, rows * width), [rows, width]),
          w: device.fromFloats(noise(2, 64 * width), [64, width]),
        };
        const results = [];
        for (let run = 0; run < 5; run++) {
          const { y: product, total } = await program.run(feeds);
          results.push([...(await read(total)), ...(await read(product))].join());
        }
        expect(new Set(results).size).toBe(1);
      }),
      { numRuns: 5 },
    );
  });
});
