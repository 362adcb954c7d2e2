/**
 * The markup that a crawl leaves around its pages: elements, forum codes, wiki and list marks, rules between paragraphs. No name of a tag is
 * one of a template, and none has its form. It falls on pages whatever they say, so in an interview one tag may come before every question.
 * May not know: what a page says.
 */
import type { RandomStream } from "../../util/random.js";
import { chance, pick, sample } from "../language.js";

/** Names of elements: those of web pages, and words that somebody's own format might use. */
const NAMES = [
  ..."p div span li td dt dd h1 h2 h3 b i em title body section article blockquote pre".split(" "),
  ..."box note left right top entry item text page part main field row head foot block line cell frame card".split(" "),
];
const CLASSES = ["towns", "old", "wide", "first", "note", "m3", "grey", "col-2"];
const RULES = ["---", "***", "* * *", "=====", "~~~~", "-----", "____"];

type Style = (lines: readonly string[], random: RandomStream) => string[];

const names = (random: RandomStream, count: number): string[] => sample(random, NAMES, count);

/** The first line as a heading, all others alike. */
const asHeading = (
  lines: readonly string[],
  heading: (line: string) => string,
  other: (line: string) => string,
): string[] => lines.map((line, i) => (i === 0 ? heading(line) : other(line)));

const STYLES: readonly Style[] = [
  (lines, random) => {
    const [head, rest] = names(random, 2) as [string, string];
    const attribute = chance(random, 0.3) ? ` class="${pick(random, CLASSES)}"` : "";
    return asHeading(
      lines,
      (line) => `<${head}>${line}</${head}>`,
      (line) => `<${rest}${attribute}>${line}</${rest}>`,
    );
  },
  // Old pages do not close what they open, and put it on a line of its own.
  (lines, random) => {
    const [head, rest] = names(random, 2) as [string, string];
    return lines.flatMap((line, i) => [`<${i === 0 ? head : rest}>`, line]);
  },
  (lines, random) => {
    const own = names(random, 4);
    return lines.flatMap((line, i) => [`<${own[i % own.length]}>`, line, `</${own[i % own.length]}>`]);
  },
  (lines, random) => {
    const [code] = names(random, 1);
    return asHeading(
      lines,
      (line) => `[${code}]${line}[/${code}]`,
      (line) => line,
    );
  },
  (lines, random) => {
    const [one, other] = names(random, 2) as [string, string];
    return lines.flatMap((line, i) => [`[${i % 2 === 0 ? one : other}]`, line]);
  },
  (lines) => lines.map((line) => `| ${line} |`),
  (lines, random) => {
    const mark = pick(random, ["#", "##", "==", "*", "!", "//"]);
    return asHeading(
      lines,
      (line) => `${mark} ${line}`,
      (line) => line,
    );
  },
  (lines, random) => {
    const rule = pick(random, RULES);
    return lines.flatMap((line, i) => (i === 0 ? [line] : [rule, line]));
  },
  (lines, random) => {
    const mark = pick(random, ["> ", "* ", ": ", "; ", "~ "]);
    return lines.map((line) => mark + line);
  },
  (lines, random) => {
    const [word] = names(random, 1);
    return lines.flatMap((line, i) => [`${word} ${i + 1}`, line]);
  },
];

/** The same text as a crawl may have found it. What is one paragraph (verses, steps) may stay one. */
export function inMarkup(text: string, random: RandomStream): string {
  const blocks = text.includes("\n\n") || chance(random, 0.5) ? text.split(/\n\n+/) : text.split("\n");
  return pick(random, STYLES)(blocks.length > 1 ? blocks : splitHeading(text), random)
    .join("\n")
    .trim();
}

/** Where one paragraph begins with a line of its own, that one is its heading. */
function splitHeading(text: string): string[] {
  const end = text.indexOf("\n");
  return end < 0 ? [text] : [text.slice(0, end), text.slice(end + 1)];
}
