/**
 * The passes over whole parameters that training makes between two programs: Adam, and the sum of squares for the gradient's norm.
 * In a graph each would be a dozen passes over memory, every output of which the runtime's binding copies once more.
 * May not know: models, steps, schedules.
 */
import { invariant, present } from "../util/errors.js";
import type { AdamStep } from "./device.js";
import {
  abs,
  add,
  addDoubles,
  type Code,
  definePass,
  div,
  highDoubles,
  instantiate,
  lessThan,
  lowDoubles,
  mul,
  mulDoubles,
  sqrt,
  sub,
  total,
  without,
} from "./wasm.js";

/** Elements that are copied in, worked on and copied out at once: four arrays of this size stay in the second-level cache. */
const PIECE = 16 * 1024;
const BYTES = 4 * PIECE;
/** Where the arrays of a piece lie in the module's memory. */
const [PARAMETER, GRADIENT, FIRST, SECOND] = [0, BYTES, 2 * BYTES, 3 * BYTES];

/** The smallest normal number: what is below is set to 0, since decaying moments would end there and cost a hundredfold. */
const SMALLEST = 2 ** -126;

/** Kingma and Ba 2015, algorithm 1, ε outside the root; in single precision, one rounding an operation, everywhere the same. */
const adam = definePass({
  name: "adam",
  parameters: ["scale", "beta1", "rest1", "beta2", "rest2", "secondScale", "epsilon", "stepSize", "smallest"],
  locals: ["gradient", "first", "second"],
  body({ of, set, load, store }) {
    const flushed = (x: Code): Code => without(x, lessThan(abs(x), of.smallest)); // NaN stays NaN
    const denominator = add(mul(sqrt(of.second), of.secondScale), of.epsilon);
    return [
      ...set("gradient", mul(load(GRADIENT), of.scale)),
      ...set("first", add(mul(load(FIRST), of.beta1), mul(of.gradient, of.rest1))),
      ...set("second", add(mul(load(SECOND), of.beta2), mul(mul(of.gradient, of.gradient), of.rest2))),
      ...set("first", flushed(of.first)),
      ...set("second", flushed(of.second)),
      ...store(FIRST, of.first),
      ...store(SECOND, of.second),
      ...store(PARAMETER, sub(load(PARAMETER), mul(div(of.first, denominator), of.stepSize))),
    ];
  },
});

const squares = definePass({
  name: "squares",
  parameters: [],
  locals: ["x", "low", "high"],
  body({ of, set, load }) {
    const square = (x: Code): Code => mulDoubles(x, x);
    return [
      ...set("x", load(GRADIENT)),
      ...set("low", addDoubles(of.low, square(lowDoubles(of.x)))),
      ...set("high", addDoubles(of.high, square(highDoubles(of.x)))),
    ];
  },
  result: ({ of }) => total(addDoubles(of.low, of.high)),
});

/** The four arrays that one update reads, of one length; all but the gradient are written. */
export interface AdamArrays {
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export interface Updates {
  adam(arrays: AdamArrays, step: AdamStep): void;
  /** Σ x², the sum in double precision. */
  sumOfSquares(values: Float32Array): number;
}

export function createUpdates(): Updates {
  const { memory, kernels } = instantiate([adam, squares], 4 * BYTES);
  const [runAdam, runSquares] = [present(kernels.get("adam"), "adam"), present(kernels.get("squares"), "squares")];
  const piece = (base: number): Float32Array => new Float32Array(memory, base, PIECE);
  const [parameters, gradients, firsts, seconds] = [piece(PARAMETER), piece(GRADIENT), piece(FIRST), piece(SECOND)];
  return {
    adam({ parameter, gradient, first, second }, { beta1, beta2, epsilon, gradientScale, stepSize, secondScale }) {
      const { length } = parameter;
      const same = [gradient, first, second].every((array) => array.length === length);
      invariant(same, "adam: arrays of different lengths");
      const scalars = [gradientScale, beta1, 1 - beta1, beta2, 1 - beta2, secondScale, epsilon, stepSize, SMALLEST];
      for (let from = 0; from < length; from += PIECE) {
        const to = Math.min(length, from + PIECE);
        parameters.set(parameter.subarray(from, to));
        gradients.set(gradient.subarray(from, to));
        firsts.set(first.subarray(from, to));
        seconds.set(second.subarray(from, to));
        runAdam(4 * (to - from), ...scalars);
        parameter.set(parameters.subarray(0, to - from), from);
        first.set(firsts.subarray(0, to - from), from);
        second.set(seconds.subarray(0, to - from), from);
      }
    },
    sumOfSquares(values) {
      let sum = 0;
      for (let from = 0; from < values.length; from += PIECE) {
        const part = values.subarray(from, from + PIECE);
        gradients.set(part);
        gradients.fill(0, part.length, part.length + 3); // the last four may be less than four
        sum += runSquares(4 * part.length) ?? 0;
      }
      return sum;
    },
  };
}
