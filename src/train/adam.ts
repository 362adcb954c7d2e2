/**
 * Adam as a graph over flat pieces of parameters: one program serves every tensor, updates in place, and stays in the cache.
 * Source: Kingma and Ba 2015, algorithm 1, with ε outside the root as PyTorch's `torch.optim.Adam` has it.
 * May not know: models, losses.
 */
import { add, createGraph, div, input, mul, sqrt, sub, sum } from "../graph/build.js";
import type { Device, Program, Tensor } from "../runtime/device.js";
import { present } from "../util/errors.js";

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** What Adam remembers of one parameter. */
export interface Moments {
  readonly first: Tensor;
  readonly second: Tensor;
}

/** Elements handled at once: five arrays of this size fit the second-level cache. */
const PIECE = 64 * 1024;

export interface Adam extends AsyncDisposable {
  /** Euclidean norm of all gradients together. */
  norm(gradients: ReadonlyMap<string, Tensor>): Promise<number>;
  /**
   * One update in place.
   * @param step          from 1, for the bias correction
   * @param gradientScale what every gradient is multiplied by first (clipping)
   */
  update(
    parameters: ReadonlyMap<string, Tensor>,
    gradients: ReadonlyMap<string, Tensor>,
    moments: ReadonlyMap<string, Moments>,
    at: { readonly step: number; readonly learningRate: number; readonly gradientScale: number },
  ): Promise<void>;
}

export async function compileAdam(device: Device, options: AdamOptions): Promise<Adam> {
  const [update, squares] = [await compileUpdate(device, options), await compileSquares(device)];
  return {
    async norm(gradients) {
      let total = 0;
      for (const gradient of gradients.values()) {
        for (const { offset, length } of pieces(gradient)) {
          const { square } = await squares.run({ gradient: device.view(gradient, offset, [length]) });
          total += present((await device.floats(present(square, "square")))[0], "square");
        }
      }
      return Math.sqrt(total);
    },
    async update(parameters, gradients, moments, { step, learningRate, gradientScale }) {
      const scalarOf = (value: number): Tensor => device.fromFloats(Float32Array.of(value), [1]);
      const scalars = {
        gradientScale: scalarOf(gradientScale),
        stepSize: scalarOf(learningRate / (1 - options.beta1 ** step)),
        secondScale: scalarOf(1 / Math.sqrt(1 - options.beta2 ** step)),
      };
      for (const [name, parameter] of parameters) {
        const { first, second } = present(moments.get(name), name);
        const gradient = present(gradients.get(name), name);
        for (const { offset, length } of pieces(parameter)) {
          const part = (tensor: Tensor): Tensor => device.view(tensor, offset, [length]);
          const state = { parameter: part(parameter), first: part(first), second: part(second) };
          await update.run(
            { ...scalars, ...state, gradient: part(gradient) },
            { newParameter: state.parameter, newFirst: state.first, newSecond: state.second },
          );
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await update[Symbol.asyncDispose]();
      await squares[Symbol.asyncDispose]();
    },
  };
}

function* pieces(tensor: Tensor): Generator<{ readonly offset: number; readonly length: number }> {
  const size = tensor.shape.reduce((a, b) => a * b, 1);
  for (let offset = 0; offset < size; offset += PIECE) yield { offset, length: Math.min(PIECE, size - offset) };
}

function compileUpdate(device: Device, { beta1, beta2, epsilon }: AdamOptions): Promise<Program> {
  const graph = createGraph();
  const flat = (name: string) => input(graph, name, "f32", ["N"]);
  const one = (name: string) => input(graph, name, "f32", [1]);
  const gradient = mul(flat("gradient"), one("gradientScale"));
  const first = add(mul(flat("first"), beta1), mul(gradient, 1 - beta1));
  const second = add(mul(flat("second"), beta2), mul(mul(gradient, gradient), 1 - beta2));
  const denominator = add(mul(sqrt(second), one("secondScale")), epsilon);
  const parameter = sub(flat("parameter"), mul(div(first, denominator), one("stepSize")));
  return device.compile(
    graph,
    new Map([
      ["newParameter", parameter],
      ["newFirst", first],
      ["newSecond", second],
    ]),
  );
}

function compileSquares(device: Device): Promise<Program> {
  const graph = createGraph();
  const gradient = input(graph, "gradient", "f32", ["N"]);
  return device.compile(graph, new Map([["square", sum(mul(gradient, gradient), [0])]]));
}
