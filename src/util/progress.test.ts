import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBytes, formatCount, formatDuration, formatRate, openProgress, secondsLeft } from "./progress.js";

function recorded(isTTY: boolean, columns = 40) {
  const written: string[] = [];
  let time = 0;
  const progress = openProgress(
    { isTTY, columns, write: (text) => written.push(text) },
    { redrawMs: 100, repeatMs: 1000, now: () => time },
  );
  const at = (ms: number, text: string): void => {
    time = ms;
    progress.update(() => text);
  };
  return { written, progress, at };
}

describe("a progress line", () => {
  it("is redrawn in place on a terminal, at most every 100 ms, and goes away", () => {
    const { written, progress, at } = recorded(true);
    at(0, "one");
    at(50, "two");
    at(100, "three");
    progress.clear();
    progress.clear();
    expect(written).toEqual(["\r\u001b[2Kone", "\r\u001b[2Kthree", "\r\u001b[2K"]);
  });

  it("never wraps: one line, cut to the screen", () => {
    const { written, at } = recorded(true, 24);
    at(0, `a\n${"b".repeat(40)}`);
    expect(written).toEqual([`\r\u001b[2Ka ${"b".repeat(20)}…`]);
  });

  it("stays below a note", () => {
    const { written, progress, at } = recorded(true);
    at(0, "one");
    progress.note("look");
    expect(written).toEqual(["\r\u001b[2Kone", "\r\u001b[2K", "look\n", "\r\u001b[2Kone"]);
  });

  it("is a plain line now and then in a file, and its text is not made in between", () => {
    const { written, progress, at } = recorded(false);
    at(999, "early");
    at(1000, "one");
    progress.update(() => {
      throw new Error("made for nothing");
    });
    progress.clear();
    at(2000, "two");
    expect(written).toEqual(["one\n", "two\n"]);
  });
});

describe("numbers", () => {
  it.each([
    [0.0004, "0 ms"],
    [0.25, "250 ms"],
    [7.44, "7.4 s"],
    [59.96, "1 min 00 s"],
    [185, "3 min 05 s"],
    [3599.6, "1 h 00 min"],
    [7620, "2 h 07 min"],
    [Number.NaN, "?"],
    [-1, "?"],
  ])("%d seconds: %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [999.7, "1.00 kB"],
    [268_100, "268 kB"],
    [1_072_400_000, "1.07 GB"],
    [999_999_999, "1.00 GB"],
  ])("%d bytes: %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it("rates and counts", () => {
    expect(formatRate(812)).toBe("812/s");
    expect(formatRate(1312, "tokens")).toBe("1.31 k tokens/s");
    expect(formatRate(0.5, "steps")).toBe("0.50 steps/s");
    expect(formatCount(1030)).toBe("1,030");
  });

  it("never show more than four digits before the unit", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e17, noNaN: true }), (n) => /^\d{1,3}(\.\d+)? \w+$/.test(formatBytes(n))),
    );
  });

  it("time left is proportional, and unknown at the start", () => {
    expect(secondsLeft(0, 10, 5)).toBeUndefined();
    expect(secondsLeft(2, 10, 5)).toBe(20);
    expect(secondsLeft(10, 10, 5)).toBe(0);
  });
});
