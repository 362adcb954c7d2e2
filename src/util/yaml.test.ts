/** YAML within its bounds is plain data; beyond them it is refused before a document is made of it, in one line with the place. */
import { describe, expect, it } from "vitest";
import { openYaml } from "./yaml.js";

const messageOf = (text: string): string => {
  try {
    openYaml(text, "f.yaml", "fix it");
    return "no error";
  } catch (error) {
    return (error as Error).message;
  }
};
const lines = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join("\n");
const inColumn = (n: number): string => lines(n, (i) => `${"  ".repeat(i)}- a:`);
const block = (depth: number): string => lines(depth, (i) => `${" ".repeat(i)}a:`);

describe("a text that is not YAML", () => {
  it.each([
    ['a: "open\nb: 1', /^f\.yaml:\d:\d: not YAML: something is missing here: a closing quote or bracket/],
    [
      "a: [1, 2",
      "f.yaml:1:9: not YAML: indented otherwise than the lines that it belongs to, or a bracket above is never closed",
    ],
    [
      "a: b: c",
      "f.yaml:1:4: not YAML: a second `: ` on one line: put the text in quotes, or the inner map on lines of its own",
    ],
    ["a:\n\t- 1", /not YAML: indented with a tab: YAML takes spaces only$/],
    ["a: *b", /^f\.yaml:1:4: not YAML: an alias \(\*name\) of an anchor \(&name\) that is missing; /],
    ["a: @b", /not YAML: a text may not begin with this character: put it in quotes$/],
    ["a: !x 1", /not YAML: a tag \(!\) that is not known; /],
    ["a: 1\n---\nb: 2", /not YAML: a second document \(---\); one file holds one$/],
    ["a: 1\n b: 2", /^f\.yaml:\d:\d: not YAML: /],
  ])("%j is told so in plain words", (text, message) => {
    if (typeof message === "string") expect(messageOf(text)).toBe(message);
    else expect(messageOf(text)).toMatch(message);
  });
});

describe("bounds", () => {
  it.each([
    ["128 lists in brackets", "[".repeat(128) + "]".repeat(128), "no error"],
    ["129 lists in brackets", "[".repeat(129) + "]".repeat(129), "f.yaml:1:129: nested deeper than 128 levels"],
    ["127 maps by indentation", block(127), "no error"],
    ["130 maps by indentation", block(130), "f.yaml:129:130: nested deeper than 128 levels"],
    ["lists in lists on one line", "- ".repeat(1000), "f.yaml:1:259: nested deeper than 128 levels"],
    ["two million brackets", "[".repeat(2e6), "f.yaml:1:129: nested deeper than 128 levels"],
    ["60 lists under keys in their column", inColumn(60), "no error"],
    ["70 lists under keys in their column", inColumn(70), "f.yaml:1:1: nested deeper than 128 levels"],
    ["200,000 keys", lines(200_000, (i) => `k${i}: 1`), "f.yaml:16667:9: more than 50000 values"],
    ["100 anchors", lines(100, (i) => `- &a${i} 1`), "no error"],
    ["100,000 anchors", lines(100_000, (i) => `- &a${i} 1`), "f.yaml:101:3: more than 100 anchors"],
    ["100,000 aliases", `a: &a 1\nb:\n${lines(100_000, () => "- *a")}`, "f.yaml:103:3: more than 100 aliases"],
    [
      "aliases of aliases",
      lines(30, (i) => `b${i}: &b${i} [${i === 0 ? "1, 1" : `*b${i - 1}, *b${i - 1}, *b${i - 1}`}]`),
      /^f\.yaml:1:1: /,
    ],
    ["300,000 line ends", `${"\n".repeat(3e5)}a: 1`, "f.yaml:250001:1: more than 250000 tokens"],
    ["a list inside its anchor", "a: &a [*a]", "f.yaml:1:8: the alias *a is inside its own anchor"],
    ["a map inside its anchor", "a: &a\n  b: [1, {c: *a}]", "f.yaml:2:14: the alias *a is inside its own anchor"],
    ["a name that is anchored twice", "a: &a 1\nb: &a [*a]\n", "f.yaml:2:8: the alias *a is inside its own anchor"],
    [
      "a map as a key",
      "? {a: 1}\n: 2",
      "f.yaml:1:3: a list, a map or an alias cannot be a key: write the key as a text",
    ],
    [
      "a list as a key",
      "b:\n  [1]: 2",
      "f.yaml:2:3: a list, a map or an alias cannot be a key: write the key as a text",
    ],
    [
      "an alias as a key",
      "a: &a 1\n*a : 2",
      "f.yaml:2:1: a list, a map or an alias cannot be a key: write the key as a text",
    ],
    ["a number beside its text", '1: a\n"1": b', 'f.yaml:2:1: duplicate key "1"'],
    ["a number in two spellings", "1: a\n1.0: b", 'f.yaml:2:1: duplicate key "1"'],
    ["a flag beside its text", 'true: a\n"true": b', 'f.yaml:2:1: duplicate key "true"'],
    ["nothing beside an empty text", ': a\n"": b', 'f.yaml:2:1: duplicate key ""'],
    ["nothing in two spellings", "null: a\n~: b", 'f.yaml:2:1: duplicate key ""'],
    ["numbers as keys", "1: a\n2: b", "no error"],
    ["a key twice", "a: 1\nb: {c: 1, c: 2}", 'f.yaml:2:11: duplicate key "c"'],
  ])("%s", (_, text, message) => {
    if (typeof message === "string") expect(messageOf(text)).toBe(message);
    else expect(messageOf(text)).toMatch(message);
  });

  it("hold for what aliases make deep", () => {
    const chain = lines(4, (i) => `a${i}: &a${i} ${"[".repeat(50)}${i === 0 ? "1" : `*a${i - 1}`}${"]".repeat(50)}`);
    expect(messageOf(chain)).toBe("f.yaml:1:1: nested deeper than 128 levels");
  });

  it("leave what people write: anchors, lists in the column of their key, many keys", () => {
    expect(openYaml("a: &x [1, 2]\nb: *x\nc:\n- d: *x\n- - e\n", "f.yaml", "").value).toEqual({
      a: [1, 2],
      b: [1, 2],
      c: [{ d: [1, 2] }, ["e"]],
    });
    const keys = openYaml(
      lines(2000, (i) => `"k ${i}": ${i}`),
      "f.yaml",
      "",
    ).value as object;
    expect(Object.keys(keys)).toHaveLength(2000);
  });
});

it("repeats little of a text of any length", () => {
  const long = "k".repeat(100_000);
  for (const text of [
    `${long}: 1\n${long}: 2`,
    `a: *${long}`,
    `a: !${long} 1`,
    `a: &a ${long}\n  ${long}: 1`,
    `? ${long}\n- 1`,
  ])
    expect(messageOf(text).length).toBeLessThan(250);
});
