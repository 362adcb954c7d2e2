import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePythonStringList } from "./python-literal.js";

/** Python's `repr` of a list of strings, as far as printable characters go. */
const repr = (items: string[]): string => `[${items.map(reprString).join(", ")}]`;
const reprString = (text: string): string => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = [...text]
    .map((c) => {
      if (c === "\\" || c === quote) return `\\${c}`;
      if (c === "\n") return "\\n";
      if (c === "\r") return "\\r";
      if (c === "\t") return "\\t";
      const code = c.codePointAt(0) ?? 0;
      return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, "0")}` : c;
    })
    .join("");
  return quote + inner + quote;
};

describe("parsePythonStringList", () => {
  it("reads back what Python would write of any strings", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom("'", '"', "\\", "\n", "é") }),
    );
    fc.assert(
      fc.property(fc.array(text), (items) => void expect(parsePythonStringList(repr(items))).toEqual({ items })),
    );
  });

  it.each([
    ["[]", []],
    [" [ ] \n", []],
    ["['a',]", ["a"]],
    ["['']", [""]],
    [`["it's", 'a "b"', 'it\\'s "c"', 'back\\\\slash']`, ["it's", 'a "b"', 'it\'s "c"', "back\\slash"]],
    ["['\\x41\\u00e9\\U0001F642\\101\\0\\q\\/']", ["Aé🙂A\0\\q\\/"]],
    ["['½ cup', '350°F']", ["½ cup", "350°F"]],
  ])("reads %s", (text, items) => expect(parsePythonStringList(text)).toEqual({ items }));

  it.each([
    ["", '"[" expected at character 1, found the end'],
    ["['a' 'b']", '"," or "]" expected'],
    ["['a', 1]", "a string in quotes expected at character 7"],
    ["['a', None]", "a string in quotes expected"],
    ["['a'", '"," or "]" expected'],
    ["['a", "a string that begins at character 2 is not closed"],
    ["['a\nb']", "is not closed"],
    ["['a'] + ['b']", "the end expected"],
    ["__import__('os').system('true')", '"[" expected'],
    ["[__import__('os').system('true')]", "a string in quotes expected"],
    ["['\\x4']", "bad escape \\x"],
    ["['\\U00110000']", "bad escape \\U"],
    ["['\\N{DASH}']", "by name"],
    ["[,]", "a string in quotes expected"],
  ])("refuses %j and says where", (text, problem) => {
    expect(parsePythonStringList(text)).toEqual({ problem: expect.stringContaining(problem) });
  });
});
