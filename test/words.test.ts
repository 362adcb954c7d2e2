/**
 * Messages, comments and pages are in the field's words and in plain English: what is left of older ones is found here, also where a line break
 * divides it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "./staged-package.js";

/** Each with what to write. `mend nets` is a craft of the Glasshouse's people. */
const banned: readonly (readonly [RegExp, string])[] = [
  [/\bno numbers\b|\b(is|are|was) no number\b|\bNO_NUMBERS\b/, "NaN, infinite"],
  [/\bmend(s|ed|ing)?\b(?! nets)/, "fix"],
  [/\b[Ff]or ever\b/, "forever"],
  [/\bwhoever (began|begins)\b/, "the caller, or a sentence in its usual order"],
  [/\banew\b/, "again, from scratch"],
  [/\b([Gg]o|[Gg]oing|gone|went|[Gg]oes) on (with|from|where)\b/, "resume, continue"],
  [/\b(is|are|was|were) not there\b(?! yet)/, "missing"],
  [/\bexists? already\b|\b(is|are) there already\b/, "already exists"],
  [/\bis (none|no \w+) that is read here\b|\bis not (read|done) here\b/, "not supported"],
  [/\bof what is no\b|\bwhat there is not\b/, "a sentence in its usual order"],
];

const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending) && !file.endsWith(`.test${ending}`))
    .map((file) => join(repositoryRoot, folder, file));

const files = [
  ...filesIn("src", ".ts"),
  ...filesIn("docs", ".md"),
  ...["README.md", "CONTRIBUTING.md", "bench/README.md"].map((file) => join(repositoryRoot, file)),
];

/** One line: comments and paragraphs are broken anywhere. */
const unbroken = (text: string): string => text.replaceAll(/\s*\n\s*(\*|\/\/)?\s*/g, " ");

function foundIn(text: string): string[] {
  const line = unbroken(text);
  return banned.flatMap(([phrase, better]) =>
    [...line.matchAll(new RegExp(phrase, "g"))].map(({ 0: said, index }) => {
      const around = line.slice(Math.max(0, index - 40), index + said.length + 20);
      return `“${said}” (better: ${better}) in: …${around}…`;
    }),
  );
}

describe("words", () => {
  it("finds a phrase, also over a line break", () => {
    expect(foundIn(" * a run that is\n * not there")).toHaveLength(1);
    expect(foundIn("  // the loss is no\n  // number\n")).toHaveLength(1);
    expect(foundIn("bend wire, mend nets, a folder that is not there yet, no number of epochs")).toEqual([]);
  });

  it("of messages, comments and pages are those of the field", () => {
    const found = files.flatMap((file) =>
      foundIn(readFileSync(file, "utf8")).map((what) => `${relative(repositoryRoot, file)}: ${what}`),
    );
    expect(found).toEqual([]);
  });
});
