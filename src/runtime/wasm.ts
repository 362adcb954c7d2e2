/**
 * WebAssembly, writing only: functions that go over arrays of float32 in a memory that they are given, four elements at a time.
 * A piece of code is the list of its bytes and leaves one value, so what is written with it reads like arithmetic.
 * Binary format: https://webassembly.github.io/spec/core/binary/
 * May not know: what is computed.
 */
import { present } from "../util/errors.js";

/** Instructions, as bytes. */
export type Code = readonly number[];

/** One pass over arrays: `body` is repeated for every 16 bytes of each. */
export interface Pass<A extends string = string, P extends string = string, L extends string = string> {
  readonly name: string;
  /** What is gone over; where each begins is an argument. */
  readonly arrays: readonly A[];
  /** float32 arguments; inside, each is repeated four times. */
  readonly parameters: readonly P[];
  /** Variables of 16 bytes, zeros at first, that keep their value from one repetition to the next. */
  readonly locals: readonly L[];
  body(use: Places<A, P, L>): Code;
  /** A float64 that is left when the pass is done; without it the function gives nothing. */
  result?(use: Places<A, P, L>): Code;
}

/** Lets the compiler read the names off the pass. */
export const definePass = <const A extends string, const P extends string, const L extends string>(
  pass: Pass<A, P, L>,
): Pass<A, P, L> => pass;

/** What the body of a pass works on. */
export interface Places<A extends string, P extends string, L extends string> {
  /** Parameters and locals by name. */
  readonly of: Readonly<Record<P | L, Code>>;
  set(local: L, value: Code): Code;
  /** The next four elements of an array. */
  load(array: A): Code;
  store(array: A, value: Code): Code;
}

/** A function of the module: how many bytes of each array, the byte at which each begins, then the arguments. */
export type Kernel = (bytes: number, ...values: number[]) => number | undefined;

/** Not in the compiler's library without a browser's. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, object>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
};

const PAGE = 65536;
/** 4 GB: what an address of 32 bits reaches. */
export const MOST_BYTES = 65536 * PAGE;

/** The functions over a new memory of at least so many bytes, all zeros. */
export type Instantiate = (bytes: number) => {
  readonly memory: ArrayBuffer;
  readonly kernels: ReadonlyMap<string, Kernel>;
};

export function compilePasses(passes: readonly Pass[]): Instantiate {
  const module = new WebAssembly.Module(encode(passes));
  return (bytes) => {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
    const { exports } = new WebAssembly.Instance(module, { [FROM]: { memory } });
    return {
      memory: memory.buffer,
      kernels: new Map(passes.map(({ name }) => [name, exports[name] as Kernel])),
    };
  };
}

/** Where the memory is imported from. */
const FROM = "given";
const [I32, F32, F64, V128] = [0x7f, 0x7d, 0x7c, 0x7b];

/** Unsigned LEB128. */
function whole(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...whole(value >>> 7)];
}
const vector = (items: readonly Code[]): Code => [...whole(items.length), ...items.flat()];
const text = (value: string): Code => vector([...value].map((c) => [c.charCodeAt(0)]));
const section = (id: number, content: Code): Code => [id, ...whole(content.length), ...content];

function encode(passes: readonly Pass[]): Uint8Array<ArrayBuffer> {
  const types = passes.map(({ arrays, parameters, result }) => [
    0x60,
    ...vector([[I32], ...arrays.map(() => [I32]), ...parameters.map(() => [F32])]),
    ...vector(result === undefined ? [] : [[F64]]),
  ]);
  const bodies = passes.map((pass) => {
    const code = functionBody(pass);
    return [...whole(code.length), ...code];
  });
  const exported = passes.map(({ name }, i) => [...text(name), 0, ...whole(i)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, vector(types)),
    ...section(2, vector([[...text(FROM), ...text("memory"), 2, 0, ...whole(1)]])), // a memory of a page or more
    ...section(3, vector(passes.map((_, i) => whole(i)))), // function i has type i
    ...section(7, vector(exported)),
    ...section(10, vector(bodies)),
  ]);
}

/** Arguments repeated four times, then the body for offset 0, 16, 32 … below the number of bytes. */
function functionBody({ arrays, parameters, locals, ...pass }: Pass): Code {
  const offset = 1 + arrays.length + parameters.length;
  const wide = new Map([...parameters, ...locals].map((name, i) => [name, offset + 1 + i]));
  const place = (name: string): number => present(wide.get(name), name);
  const address = (array: string): Code => [...get(1 + arrays.indexOf(array)), ...get(offset), 0x6a]; // i32.add
  const use: Places<string, string, string> = {
    of: Object.fromEntries([...wide].map(([name, local]) => [name, get(local)])),
    set: (name, value) => [...value, ...set(place(name))],
    load: (array) => [...address(array), ...simd(0x00), 4, 0], // v128.load, aligned to 2⁴
    store: (array, value) => [...address(array), ...value, ...simd(0x0b), 4, 0], // v128.store
  };
  const repeated = parameters.flatMap((name, i) => [...get(1 + arrays.length + i), ...simd(0x13), ...set(place(name))]); // f32x4.splat
  const next = [...get(offset), 0x41, 16, 0x6a, 0x22, ...whole(offset)]; // offset := offset + 16, left on the stack
  const again = [...get(0), 0x49, 0x0d, 0]; // while it is below the number of bytes: i32.lt_u, br_if 0
  const loop = [0x03, 0x40, ...pass.body(use), ...next, ...again, 0x0b];
  const variables = vector([
    [1, I32],
    [...whole(wide.size), V128],
  ]);
  return [...variables, ...repeated, ...loop, ...(pass.result?.(use) ?? []), 0x0b];
}

const get = (local: number): Code => [0x20, ...whole(local)];
const set = (local: number): Code => [0x21, ...whole(local)];
const simd = (opcode: number): Code => [0xfd, ...whole(opcode)];
const unary =
  (opcode: number) =>
  (a: Code): Code => [...a, ...simd(opcode)];
const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...simd(opcode)];

// float32 × 4
export const abs = unary(0xe0);
export const sqrt = unary(0xe3);
export const add = binary(0xe4);
export const sub = binary(0xe5);
export const mul = binary(0xe6);
export const div = binary(0xe7);
/** All ones where a < b. */
export const lessThan = binary(0x43);
/** The bits of a that b has not. */
export const without = binary(0x4f);

// float64 × 2
/** The first two elements of a float32 × 4. */
export const lowDoubles = unary(0x5f);
/** The last two. */
export const highDoubles = (a: Code): Code =>
  lowDoubles([...a, ...a, ...simd(0x0d), 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]); // i8x16.shuffle
export const addDoubles = binary(0xf0);
export const mulDoubles = binary(0xf2);
/** Both elements together, as one float64. */
export const total = (a: Code): Code => [...a, ...simd(0x21), 0, ...a, ...simd(0x21), 1, 0xa0]; // f64x2.extract_lane, f64.add
