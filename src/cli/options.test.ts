import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimal, integer } from "./options.js";

const reason = (parse: (text: string) => number, text: string): string => {
  try {
    return String(parse(text));
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return (error as Error).message;
  }
};

describe("whole numbers", () => {
  it.each(["banana", "", " 3", "1e3", "1_000", "0x10", "2.0", "NaN", "Infinity", "9007199254740993", "--3", "３"])(
    "%j is refused",
    (text) => expect(reason(integer({ min: 1 }), text)).toBe("Give a whole number of 1 or more."),
  );
  it("in range are taken, out of it refused with the range", () => {
    expect(integer({ min: 1 })("64")).toBe(64);
    expect(reason(integer({ min: 1 }), "0")).toBe("Give a whole number of 1 or more.");
    expect(reason(integer({ min: 1, max: 8 }), "9")).toBe("Give a whole number from 1 to 8.");
    expect(integer()("-5")).toBe(-5);
  });
  it("round trip", () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (n) => Object.is(integer()(String(n)), n)));
  });
});

describe("numbers", () => {
  it.each(["banana", "", "NaN", "Infinity", "1e999", "1,5", "1e", ".", "0x1"])("%j is refused", (text) =>
    expect(reason(decimal({ above: 0 }), text)).toBe("Give a number above 0."),
  );
  it("are read as they are written", () => {
    expect([".5", "1e-5", "3.", "-2.5E+3"].map(decimal())).toEqual([0.5, 1e-5, 3, -2500]);
  });
  it("keep their range", () => {
    expect(reason(decimal({ above: 0 }), "0")).toBe("Give a number above 0.");
    expect(reason(decimal({ min: 0, max: 1 }), "1.01")).toBe("Give a number from 0 to 1.");
    expect(reason(decimal({ above: 0, max: 1 }), "2")).toBe("Give a number above 0, and of at most 1.");
    expect(decimal({ min: 0, max: 1 })("0.1")).toBe(0.1);
  });
});
