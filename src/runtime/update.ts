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
  type Instantiate,
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
  locals: ["values", "gradient", "first", "second"],
  body({ of, set, load, store }) {
    const flushed = (x: Code): Code => without(x, lessThan(abs(x), of.smallest)); // NaN stays NaN
    const denominator = add(mul(sqrt(of.second), of.secondScale), of.epsilon);
    return [
      ...set("values", load("parameter")), // before anything is stored: a load behind stores at like addresses waits
      ...set("gradient", mul(load("gradient"), of.scale)),
      ...set("first", add(mul(load("first"), of.beta1), mul(of.gradient, of.rest1))),
      ...set("second", add(mul(load("second"), of.beta2), mul(mul(of.gradient, of.gradient), of.rest2))),
      ...set("first", flushed(of.first)),
      ...set("second", flushed(of.second)),
      ...store("first", of.first),
      ...store("second", of.second),
      ...store("parameter", sub(of.values, mul(div(of.first, denominator), of.stepSize))),
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
export interface AccumulatorArrays {
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** The four arrays that one update reads, of one length; all but the gradient are written. */
export interface AdamArrays extends AccumulatorArrays {
  readonly parameter: Float32Array;
}

export interface Updates {
  /** Zeros for parameters of these lengths, where passes work on them as they lie; arrays from elsewhere are copied in and out. */
  accumulators(lengths: readonly number[]): readonly AccumulatorArrays[];
  adam(arrays: AdamArrays, step: AdamStep): void;
  /** Σ x², the sum in double precision. */
  sumOfSquares(values: Float32Array): number;
}

/** @param mostBytes  of one memory; less than there can be is for tests */
export function createUpdates(mostBytes = MOST_BYTES): Updates {
  const instantiate = compilePasses([adam, squares]);
  const rooms = new WeakMap<ArrayBufferLike, Room>(); // a memory goes when the last of its arrays does
  let elsewhere: Room | undefined;
  const open = (bytes: number): Room => {
    const room = createRoom(instantiate(SCRATCH + bytes));
    rooms.set(room.memory, room);
    return room;
  };
  const roomOf = (array: Float32Array): Room => {
    const room = rooms.get(array.buffer);
    if (room !== undefined) return room;
    elsewhere ??= open(0);
    return elsewhere;
  };
  return {
    accumulators: (lengths) =>
      shareOut(lengths, mostBytes - SCRATCH).flatMap(({ bytes, lengths: some }) =>
        SCRATCH + bytes <= mostBytes ? open(bytes).accumulators(some) : some.map(anywhere),
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

/** A parameter of more than 357 million elements fits no memory together with what belongs to it. */
const anywhere = (length: number): AccumulatorArrays => ({
  gradient: new Float32Array(length),
  first: new Float32Array(length),
  second: new Float32Array(length),
});

/** Arrays begin at whole lines of the processor's cache. */
const LINE = 64;
const bytesOf = (length: number): number => LINE * Math.ceil((4 * length) / LINE);

/** Lengths in their order, three arrays of each, as many together as one memory takes. */
function shareOut(
  lengths: readonly number[],
  most: number,
): readonly { readonly bytes: number; readonly lengths: readonly number[] }[] {
  const shares: { bytes: number; readonly lengths: number[] }[] = [];
  for (const length of lengths) {
    const last = shares.at(-1);
    const bytes = 3 * bytesOf(length);
    if (last !== undefined && last.bytes + bytes <= most) {
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
  accumulators(lengths: readonly number[]): readonly AccumulatorArrays[];
  /** A pass over arrays of one length, those that do not lie here by way of the scratch. @param written which of them it writes */
  run(name: string, arrays: readonly Float32Array[], scalars?: readonly number[], written?: readonly number[]): number;
}

function createRoom({ memory, kernels }: ReturnType<Instantiate>): Room {
  const scratch = Array.from({ length: 4 }, (_, i) => new Float32Array(memory, i * BYTES, PIECE));
  const lengths = new Map<number, number>(); // of the arrays that lie here, by the byte at which they begin
  let end = SCRATCH;
  const take = (length: number): Float32Array => {
    const array = new Float32Array(memory, end, length);
    lengths.set(end, length);
    end += bytesOf(length); // passes work on whole vectors: nothing else lies behind the last element
    return array;
  };
  const liesHere = ({ buffer, byteOffset, length }: Float32Array): boolean =>
    buffer === memory && lengths.get(byteOffset) === length;
  return {
    memory,
    accumulators: (wanted) =>
      wanted.map((length) => ({ gradient: take(length), first: take(length), second: take(length) })),
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
