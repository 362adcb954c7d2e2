import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { axisOf, broadcastShapes, type Dim, evaluate, factorsOf, product, quotient, sameShape } from "./dims.js";

const names = ["B", "T", "P.all", "C"];
const bindings = new Map([
  ["B", 3],
  ["T", 5],
  ["P.all", 7],
  ["C", 1],
]);
const number = fc.integer({ min: 0, max: 12 });
/** Any way of writing a product, also ones that are not canonical. */
const dim: fc.Arbitrary<Dim> = fc.oneof(
  number,
  fc
    .array(fc.oneof(fc.constantFrom(...names), number.map(String)), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("*")),
);
const shape = fc.array(dim, { maxLength: 4 });
const sizeOf = (dims: readonly Dim[]): number => dims.reduce<number>((acc, one) => acc * evaluate(one, bindings), 1);

describe("product", () => {
  it("is what the sizes multiply to, in one form whatever the order and grouping", () => {
    fc.assert(
      fc.property(shape, shape, (a, b) => {
        const whole = product([...a, ...b]);
        expect(evaluate(whole, bindings)).toBe(sizeOf(a) * sizeOf(b));
        expect(product([...b, ...a])).toBe(whole);
        expect(product([product(a), product(b)])).toBe(whole);
        expect(product([whole])).toBe(whole);
      }),
    );
  });
  it.each([
    [[], 1],
    [[2, 3], 6],
    [["T", 2, "B"], "2*B*T"],
    [["B*2", "3*T", "B"], "6*B*B*T"],
    [[1, "B"], "B"],
    [["B", 0], 0],
    [["7"], 7],
  ] as const)("of %j is %j", (dims, expected) => {
    expect(product(dims)).toBe(expected);
  });
});

describe("quotient", () => {
  it("undoes a multiplication", () => {
    fc.assert(
      fc.property(dim, fc.integer({ min: 1, max: 9 }), (one, divisor) => {
        expect(quotient(product([one, divisor]), divisor)).toBe(product([one]));
      }),
    );
  });
  it("must be whole", () => {
    expect(quotient("6*B", 3)).toBe("2*B");
    expect(() => quotient("6*B", 4)).toThrow("6*B is not divisible by 4");
    expect(() => quotient("B", 2)).toThrow("not divisible");
  });
});

describe("a size", () => {
  it("is known where its names are", () => {
    expect(evaluate("2*B*T", bindings)).toBe(30);
    expect(() => evaluate("2*N", bindings)).toThrow("size N is not bound");
    expect(factorsOf("T*4*B")).toEqual({ factor: 4, names: ["B", "T"] });
  });
});

describe("broadcastShapes", () => {
  const broadcastable = fc
    .array(fc.tuple(fc.constantFrom<Dim>(1, 2, 3, "B", "2*T"), fc.nat(2)), { maxLength: 4 })
    .map(
      (axes) =>
        [
          axes.map(([one, which]) => (which === 0 ? 1 : one)),
          axes.map(([one, which]) => (which === 1 ? 1 : one)),
        ] as const,
    );

  it("is the same from both sides, contains both, and is repeated by nothing", () => {
    fc.assert(
      fc.property(broadcastable, fc.nat(4), ([a, b], drop) => {
        const short = b.slice(Math.min(drop, b.length));
        const result = broadcastShapes(a, short);
        expect(broadcastShapes(short, a)).toEqual(result);
        expect(broadcastShapes(result, a)).toEqual(result);
        expect(broadcastShapes(result, result)).toEqual(result);
        expect(result.length).toBe(Math.max(a.length, short.length));
      }),
    );
  });
  it("takes a name only with itself or 1", () => {
    expect(broadcastShapes(["B", 1, 4], ["T", 1])).toEqual(["B", "T", 4]);
    expect(() => broadcastShapes(["B"], ["T"])).toThrow("cannot broadcast [B] with [T]");
    expect(() => broadcastShapes(["B"], [2])).toThrow("cannot broadcast");
    expect(() => broadcastShapes([2], [3])).toThrow("cannot broadcast");
  });
});

it("axes count from either end", () => {
  expect([axisOf(0, 3), axisOf(2, 3), axisOf(-1, 3), axisOf(-3, 3)]).toEqual([0, 2, 2, 0]);
  for (const axis of [3, -4, 0.5]) expect(() => axisOf(axis, 3)).toThrow(`axis ${axis}`);
});

it("shapes are the same where every size is", () => {
  expect(sameShape(["B", 2], ["B", 2])).toBe(true);
  expect(sameShape(["B", 2], ["B"])).toBe(false);
  expect(sameShape(["B", 2], ["T", 2])).toBe(false);
});
