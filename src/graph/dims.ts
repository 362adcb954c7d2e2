/**
 * Sizes of tensor axes: a number, or a product of named sizes that are known only when the graph runs (`"B"`, `"2*B*T"`).
 * Products are kept in one canonical form, so that equal sizes are equal strings and a reshape can be proven exact.
 * May not know: operators.
 */
import { invariant } from "../util/errors.js";

export type Dim = number | string;
export type Shape = readonly Dim[];
/** What each named size is in one run. */
export type Bindings = ReadonlyMap<string, number>;

interface Monomial {
  readonly factor: number;
  readonly names: readonly string[]; // sorted
}

function parse(dim: Dim): Monomial {
  if (typeof dim === "number") return { factor: dim, names: [] };
  let factor = 1;
  const names: string[] = [];
  for (const part of dim.split("*")) {
    if (/^\d+$/.test(part)) factor *= Number(part);
    else names.push(part);
  }
  return { factor, names: names.sort() };
}

function format({ factor, names }: Monomial): Dim {
  if (names.length === 0 || factor === 0) return factor;
  return [...(factor === 1 ? [] : [String(factor)]), ...names].join("*");
}

/** The product of sizes, in canonical form; of none, 1. */
export function product(dims: Shape): Dim {
  let factor = 1;
  const names: string[] = [];
  for (const dim of dims) {
    const monomial = parse(dim);
    factor *= monomial.factor;
    names.push(...monomial.names);
  }
  return format({ factor, names: names.sort() });
}

/** `dim / divisor`, which must be whole. */
export function quotient(dim: Dim, divisor: number): Dim {
  const monomial = parse(dim);
  invariant(monomial.factor % divisor === 0, `${dim} is not divisible by ${divisor}`);
  return format({ ...monomial, factor: monomial.factor / divisor });
}

/** The number that `dim` stands for in one run. */
export function evaluate(dim: Dim, bindings: Bindings): number {
  const { factor, names } = parse(dim);
  return names.reduce((value, name) => {
    const bound = bindings.get(name);
    invariant(bound !== undefined, `size ${name} is not bound`);
    return value * bound;
  }, factor);
}

/** The named sizes that `dim` is made of, with its whole-number factor. */
export function factorsOf(dim: Dim): { readonly factor: number; readonly names: readonly string[] } {
  return parse(dim);
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);
export const formatShape = (shape: Shape): string => `[${shape.join(",")}]`;

/** NumPy's broadcast of two shapes; a named size matches only itself or 1. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    invariant(x === y || x === 1 || y === 1, `cannot broadcast ${formatShape(a)} with ${formatShape(b)}`);
    return x === 1 ? y : x;
  });
}

/** A non-negative axis number. */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  invariant(Number.isInteger(positive) && positive >= 0 && positive < rank, `axis ${axis} of a rank-${rank} tensor`);
  return positive;
}
