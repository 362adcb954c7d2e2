/** Bytes that were a valid file: flipped, cut, stretched, or with an absurd number written somewhere. */
import fc from "fast-check";

const extremes = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

type Mutation = (bytes: Uint8Array) => Uint8Array;

const at = (bytes: Uint8Array, where: number): number => Math.floor(where * bytes.length);
const where = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const flip = fc.tuple(where, fc.nat(255)).map(
  ([w, value]): Mutation =>
    (bytes) => {
      const copy = bytes.slice();
      if (copy.length > 0) copy[at(copy, w)] = value;
      return copy;
    },
);
const cut = where.map(
  (w): Mutation =>
    (bytes) =>
      bytes.slice(0, at(bytes, w)),
);
const remove = fc.tuple(where, fc.nat(16)).map(
  ([w, n]): Mutation =>
    (bytes) => {
      const from = at(bytes, w);
      return Uint8Array.from(Buffer.concat([bytes.slice(0, from), bytes.slice(from + n)]));
    },
);
const insert = fc.tuple(where, fc.uint8Array({ maxLength: 16 })).map(
  ([w, more]): Mutation =>
    (bytes) => {
      const from = at(bytes, w);
      return Uint8Array.from(Buffer.concat([bytes.slice(0, from), more, bytes.slice(from)]));
    },
);
const number = fc.tuple(where, fc.constantFrom(...extremes), fc.boolean()).map(
  ([w, value, wide]): Mutation =>
    (bytes) => {
      const copy = bytes.slice();
      const from = at(copy, w);
      const view = new DataView(copy.buffer);
      if (wide && from + 8 <= copy.length) view.setBigUint64(from, value, true);
      else if (from + 4 <= copy.length) view.setUint32(from, Number(value & 0xffffffffn), true);
      return copy;
    },
);

/** One to four changes. */
export const mutation: fc.Arbitrary<Mutation> = fc
  .array(fc.oneof(flip, cut, remove, insert, number), { minLength: 1, maxLength: 4 })
  .map((steps) => (bytes) => steps.reduce((now, step) => step(now), bytes));
