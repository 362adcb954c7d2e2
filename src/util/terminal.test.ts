import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columns, displayWidth, paintFor, printable, quoted, shorten, wantsColour } from "./terminal.js";

const stream = (isTTY: boolean) => ({ isTTY, write: () => true });

describe("wantsColour", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { TERM: "dumb" }, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [false, { FORCE_COLOR: "1" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [false, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("terminal %s, %j: %s", (isTTY, env, wanted) => {
    expect(wantsColour(stream(isTTY), env)).toBe(wanted);
    expect(paintFor(stream(isTTY), env)("red", "x")).toBe(wanted ? "\u001b[31mx\u001b[0m" : "x");
  });
});

describe("text from files", () => {
  it("cannot carry an escape sequence to the screen", () => {
    expect(printable("a\u001b[2Jb\tc\nd\u0085\u202e")).toBe("a\\u001b[2Jb\tc\nd\\u0085\\u202e");
    expect(quoted("a\tb\nc")).toBe("a\\tb\\nc");
  });
  it("keeps everything else", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => [...quoted(text)].every((c) => c >= " ")));
    expect(printable("größer — 大きい 👋")).toBe("größer — 大きい 👋");
  });
  it("is cut at code points", () => {
    expect(shorten("👋👋👋", 2)).toBe("👋…");
    expect(shorten("abc", 3)).toBe("abc");
  });
});

describe("columns", () => {
  it("line up, numbers flush right, colour and wide letters counted as they look", () => {
    expect(displayWidth("\u001b[31mok\u001b[0m 大")).toBe(5);
    expect(
      columns(
        [
          ["name", "rows", "note"],
          ["大", "12", "x"],
        ],
        [1],
      ),
    ).toBe("name  rows  note\n大      12  x\n");
  });
});
