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
  compilePasses,
  definePass,
  div,
  highDoubles,
  type Kernel,
  lessThan,
  lowDoubles,
  MOST_BYTES,
  mul,
  mulDoubles,
  sqrt,
  sub,
  total,
  without,
} from "./wasm.js";

/** Elements that are worked on at once: as many of four arrays stay in the second-level cache. */
const PIECE = 16 * 1024;
const BYTES = 4 * PIECE;

/** The smallest normal number: what is below is set to 0, since decaying moments would end there and cost a hundredfold. */
const SMALLEST = 2 ** -126;

/** Kingma and Ba 2015, algorithm 1, ε outside the root; in single precision, one rounding an operation, everywhere the same. */
const adam = definePass({
  name: "adam",
  arrays: ["parameter", "gradient", "first", "second"],
  parameters: ["scale", "beta1", "rest1", "beta2", "rest2", "secondScale", "epsilon", "stepSize", "smallest"],
  locals: ["gradient", "first", "second"],
  body({ of, set, load, store }) {
    const flushed = (x: Code): Code => without(x, lessThan(abs(x), of.smallest)); // NaN stays NaN
    const denominator = add(mul(sqrt(of.second), of.secondScale), of.epsilon);
    return [
      ...set("gradient", mul(load("gradient"), of.scale)),
      ...set("first", add(mul(load("first"), of.beta1), mul(of.gradient, of.rest1))),
      ...set("second", add(mul(load("second"), of.beta2), mul(mul(of.gradient, of.gradient), of.rest2))),
      ...set("first", flushed(of.first)),
      ...set("second", flushed(of.second)),
      ...store("first", of.first),
      ...store("second", of.second),
      ...store("parameter", sub(load("parameter"), mul(div(of.first, denominator), of.stepSize))),
    ];
  },
});

const squares = definePass({
  name: "squares",
  arrays: ["x"],
  parameters: [],
  locals: ["values", "low", "high"],
  body({ of, set, load }) {
    const square = (x: Code): Code => mulDoubles(x, x);
    return [
      ...set("values", load("x")),
      ...set("low", addDoubles(of.low, square(lowDoubles(of.values)))),
      ...set("high", addDoubles(of.high, square(highDoubles(of.values)))),
    ];
  },
  result: ({ of }) => total(addDoubles(of.low, of.high)),
});

/** What is kept of one parameter beside its values, of its length. */
export interface Accumulators {
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** The four arrays that one update reads, of one length; all but the gradient are written. */
export interface AdamArrays extends Accumulators {
  readonly parameter: Float32Array;
}

export interface Updates {
  /** Zeros for parameters of these lengths, where passes work on them as they lie; arrays from elsewhere are copied in and out. */
  zeros(lengths: readonly number[]): readonly Accumulators[];
  adam(arrays: AdamArrays, step: AdamStep): void;
  /** Σ x², the sum in double precision. */
  sumOfSquares(values: Float32Array): number;
}

const instantiate = compilePasses([adam, squares]);

export function createUpdates(): Updates {
  const rooms = new WeakMap<ArrayBufferLike, Room>(); // a memory goes when the last of its arrays does
  const open = (bytes: number): Room => {
    const room = createRoom(bytes);
    rooms.set(room.memory, room);
    return room;
  };
  const elsewhere = open(0);
  const roomOf = (array: Float32Array): Room => rooms.get(array.buffer) ?? elsewhere;
  return {
    zeros: (lengths) =>
      shareOut(lengths).flatMap(({ bytes, lengths: some }) =>
        SCRATCH + bytes <= MOST_BYTES ? open(bytes).zeros(some) : some.map(anywhere),
      ),
    adam(arrays, { beta1, beta2, epsilon, gradientScale, stepSize, secondScale }) {
      const { parameter, gradient, first, second } = arrays;
      const same = [gradient, first, second].every(({ length }) => length === parameter.length);
      invariant(same, "adam: arrays of different lengths");
      const scalars = [gradientScale, beta1, 1 - beta1, beta2, 1 - beta2, secondScale, epsilon, stepSize, SMALLEST];
      roomOf(first).run("adam", [parameter, gradient, first, second], scalars, [0, 2, 3]);
    },
    sumOfSquares: (values) => roomOf(values).run("squares", [values]),
  };
}

/** A parameter of more than 350 million elements fits no memory together with what belongs to it. */
const anywhere = (length: number): Accumulators => ({
  gradient: new Float32Array(length),
  first: new Float32Array(length),
  second: new Float32Array(length),
});

/** Three arrays of a length in whole vectors of 16 bytes. */
const bytesOf = (length: number): number => 3 * 16 * Math.ceil(length / 4);

/** Lengths in their order, as many together as one memory takes. */
function shareOut(lengths: readonly number[]): readonly { bytes: number; readonly lengths: number[] }[] {
  const shares: { bytes: number; readonly lengths: number[] }[] = [];
  for (const length of lengths) {
    const last = shares.at(-1);
    const bytes = bytesOf(length);
    if (last !== undefined && SCRATCH + last.bytes + bytes <= MOST_BYTES) {
      last.bytes += bytes;
      last.lengths.push(length);
    } else shares.push({ bytes, lengths: [length] });
  }
  return shares;
}

/** A piece for each array of a pass, at the beginning of every memory. */
const SCRATCH = 4 * BYTES;

interface Room {
  readonly memory: ArrayBuffer;
  zeros(lengths: readonly number[]): readonly Accumulators[];
  /** A pass over arrays of one length, those that do not lie here by way of the scratch. @param written which of them it writes */
  run(name: string, arrays: readonly Float32Array[], scalars?: readonly number[], written?: readonly number[]): number;
}

function createRoom(bytes: number): Room {
  const { memory, kernels } = instantiate(SCRATCH + bytes);
  const scratch = Array.from({ length: 4 }, (_, i) => new Float32Array(memory, i * BYTES, PIECE));
  const lengths = new Map<number, number>(); // of the arrays that lie here, by the byte at which they begin
  let end = SCRATCH;
  const take = (length: number): Float32Array => {
    const array = new Float32Array(memory, end, length);
    lengths.set(end, length);
    end += 16 * Math.ceil(length / 4); // what is behind the last element stays 0 in every pass
    return array;
  };
  const liesHere = ({ buffer, byteOffset, length }: Float32Array): boolean =>
    buffer === memory && lengths.get(byteOffset) === length;
  return {
    memory,
    zeros: (wanted) => wanted.map((length) => ({ gradient: take(length), first: take(length), second: take(length) })),
    run(name, arrays, scalars = [], written = []) {
      const kernel: Kernel = present(kernels.get(name), name);
      const [length, here] = [present(arrays[0], "array").length, arrays.map(liesHere)];
      let result = 0;
      for (let from = 0; from < length; from += PIECE) {
        const count = Math.min(PIECE, length - from);
        const starts = arrays.map((array, i) => {
          if (here[i] === true) return array.byteOffset + 4 * from;
          const copy = present(scratch[i], "scratch");
          copy.set(array.subarray(from, from + count));
          copy.fill(0, count, count + 3); // the last four may be less than four
          return copy.byteOffset;
        });
        result += kernel(4 * count, ...starts, ...scalars) ?? 0;
        for (const i of written) {
          if (here[i] !== true) arrays[i]?.set(present(scratch[i], "scratch").subarray(0, count), from);
        }
      }
      return result;
    },
  };
}
