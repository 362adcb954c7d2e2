/**
 * CPython's `random.Random(seed)` for a seed that is a string: where a published order must be matched, its sequence is reproduced.
 * May not know: what is drawn.
 *
 * @see CPython, Lib/random.py (`seed`, version 2) and Modules/_randommodule.c (`init_by_array`, `genrand_uint32`)
 */
import { createHash } from "node:crypto";

const N = 624;
const M = 397;

/** The first number of `random.Random(seed).random()`, uniform in [0, 1). */
export function pythonUniform(seed: string): number {
  const state = stateFor(seed);
  return ((output(state, 0) >>> 5) * 0x4000000 + (output(state, 1) >>> 6)) / 0x20000000000000;
}

/** `random.Random(seed).choices(items)[0]`, as an index below `n`. */
export const pythonChoice = (seed: string, n: number): number => Math.floor(pythonUniform(seed) * n);

/** Word `i` of the first block of 624, tempered. Only for i < 624 - 397. */
function output(state: Uint32Array, i: number): number {
  const at = (index: number): number => state[index] ?? 0;
  const y = (at(i) & 0x80000000) | (at(i + 1) & 0x7fffffff);
  let x = at(i + M) ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : 0x9908b0df);
  x ^= x >>> 11;
  x ^= (x << 7) & 0x9d2c5680;
  x ^= (x << 15) & 0xefc60000;
  return (x ^ (x >>> 18)) >>> 0;
}

/** The seed's bytes followed by their sha512 are one big-endian number, whose 32-bit words, lowest first, are the key. */
function stateFor(seed: string): Uint32Array {
  const bytes = Buffer.from(seed, "utf8");
  const number = Buffer.concat([bytes, createHash("sha512").update(bytes).digest()]);
  const leading = number.findIndex((byte) => byte !== 0); // a number has no leading zeros
  const length = Math.max(1, Math.ceil((number.length - (leading < 0 ? number.length : leading)) / 4));
  const padded = Buffer.concat([Buffer.alloc(4), number]);
  const key = Uint32Array.from({ length }, (_, i) => padded.readUInt32BE(padded.length - 4 * (i + 1)));
  return initByArray(key);
}

function initByArray(key: Uint32Array): Uint32Array {
  const state = new Uint32Array(N);
  state[0] = 19650218;
  for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, mixed(state, i - 1)) + i;
  let i = 1;
  let j = 0;
  const wrap = (): void => {
    if (++i < N) return;
    state[0] = state[N - 1] ?? 0;
    i = 1;
  };
  for (let k = Math.max(N, key.length); k > 0; k--) {
    state[i] = ((state[i] ?? 0) ^ Math.imul(mixed(state, i - 1), 1664525)) + (key[j] ?? 0) + j;
    wrap();
    if (++j >= key.length) j = 0;
  }
  for (let k = N - 1; k > 0; k--) {
    state[i] = ((state[i] ?? 0) ^ Math.imul(mixed(state, i - 1), 1566083941)) - i;
    wrap();
  }
  state[0] = 0x80000000;
  return state;
}

const mixed = (state: Uint32Array, i: number): number => {
  const x = state[i] ?? 0;
  return x ^ (x >>> 30);
};
