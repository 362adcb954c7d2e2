/**
 * The grammar of replies that name a marker: a marker decides where it stands alone on a line, as the value of a key that asks for a
 * verdict (`Answer: m`, `{"verdict": "m"}`), or in a tag of that name. Markers inside sentences never count, and two that decide
 * differently are no verdict. docs/guide/judge.md has it as a table.
 * May not know: reasoning, which is cut off before; which answer is the model's.
 */

import { parsedJson } from "../openai/body.js";

export type Named =
  /** `first` and `last`: where in the reply it decides. */
  | { readonly kind: "marker"; readonly index: number; readonly first: number; readonly last: number }
  | { readonly kind: "none" }
  /** Different markers decide. */
  | { readonly kind: "several" };

/** Longer lines name nothing: they are prose. */
const LONGEST_LINE = 300;
/** Braces of one reply that may open an object. */
const MOST_OBJECTS = 64;

/** A marker that decides, and where in the text it is. */
interface Naming {
  readonly index: number;
  readonly at: number;
}

/** @param reply  without its reasoning */
export function markerNamed(reply: string, markers: readonly string[]): Named {
  const { objects, lines } = takeOutJson(reply);
  const found = [
    ...objects.flatMap((object) => valuesNamed(object, markers)),
    ...lines.flatMap((line) => moved(lineNames(line.text, markers), line.placeOf)),
  ];
  const [any] = found;
  if (any === undefined) return { kind: "none" };
  if (found.some(({ index }) => index !== any.index)) return { kind: "several" };
  const places = found.map(({ at }) => at).sort((a, b) => a - b);
  return { kind: "marker", index: any.index, first: places[0] ?? any.at, last: places.at(-1) ?? any.at };
}

const moved = (found: Naming | undefined, placeOf: (at: number) => number): Naming[] =>
  found === undefined ? [] : [{ index: found.index, at: placeOf(found.at) }];

/** Whether a whole reply is one marker and what may surround it. */
export const isOneMarker = (reply: string, markers: readonly string[]): boolean =>
  !/[\n\r]/.test(reply.trim()) && lineNames(reply, markers) !== undefined;

// Words of keys that ask for a verdict: at least one of the first, and otherwise the second alone. `answer_1` and `worse` are none.
const asking = new Set(
  "verdict answer choice winner winning better best preferred preference decision judgment judgement selection selected chosen pick conclusion result".split(
    " ",
  ),
);
const beside = new Set("the my is final overall response output model option label marker".split(" "));

function asksForVerdict(key: string): boolean {
  const words = key
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[\s_-]+/)
    .filter((word) => word !== "");
  return words.some((word) => asking.has(word)) && words.every((word) => asking.has(word) || beside.has(word));
}

// What may surround a marker: emphasis, quotes, brackets, a bullet, a heading, LaTeX's box; behind it also a full stop or a comma.
const opening = "(?:[\\s*_~`\"'“”‘’«»()\\[\\]{}#•$-]|\\\\(?:boxed|text|mathbf|textbf)\\{)*";
const isOpening = new RegExp(`^${opening}$`, "u");
const endsWithKey = new RegExp(`^(.*)[:=：]${opening}$`, "su");
const isClosing = /^[\s*_~`"'“”‘’«»()[\]{}$.,;!]*$/u;
const around = /^[\s*_~`"'“”‘’«»()[\]{}#•$-]+|[\s*_~`"'“”‘’«»()[\]{}#•$-]+$/gu;
const tagged = /^\s*<(\w{1,30})>([^<>]*)<\/\1>\s*$/u;

/** The marker that decides on this line. */
function lineNames(line: string, markers: readonly string[]): Naming | undefined {
  if (line.length > LONGEST_LINE) return undefined;
  const [, tag = "", inside = ""] = tagged.exec(line) ?? [];
  for (const index of longestFirst(markers)) {
    const marker = (markers[index] ?? "").trim();
    const at = placeAlone(line, marker);
    if (at !== undefined) return { index, at };
    const within = asksForVerdict(tag) ? placeAlone(inside, marker) : undefined;
    if (within !== undefined) return { index, at: line.indexOf(">") + 1 + within };
  }
  return undefined;
}

/** Where it is alone but for what may surround it, or behind a key. */
function placeAlone(line: string, marker: string): number | undefined {
  const at = line.lastIndexOf(marker);
  if (marker === "" || at < 0 || !isClosing.test(line.slice(at + marker.length))) return undefined;
  const ahead = line.slice(0, at);
  if (isOpening.test(ahead)) return at;
  const [, key] = endsWithKey.exec(ahead) ?? [];
  return key !== undefined && asksForVerdict(key.replace(around, "")) ? at : undefined;
}

/** A marker may be another one with decoration. */
const longestFirst = (markers: readonly string[]): number[] =>
  [...markers.keys()].sort((a, b) => (markers[b] ?? "").length - (markers[a] ?? "").length);

/** JSON as it stands in a reply, from `start` on. */
interface JsonText {
  readonly text: string;
  readonly start: number;
}

/** A line without the objects in it. */
interface Line {
  readonly text: string;
  /** Where in the reply a place of the line is. */
  readonly placeOf: (at: number) => number;
}

/** Objects of JSON that stand in a text, and the lines without them. */
function takeOutJson(reply: string): { readonly objects: readonly JsonText[]; readonly lines: readonly Line[] } {
  const objects: JsonText[] = [];
  let rest = "";
  let from = 0;
  let at = reply.indexOf("{");
  for (let looked = 0; at >= 0 && looked < MOST_OBJECTS; looked++) {
    const end = endOfObject(reply, at);
    if (end !== undefined && parsedJson(reply.slice(at, end)) !== undefined) {
      objects.push({ text: reply.slice(at, end), start: at });
      rest += reply.slice(from, at);
      from = end;
    }
    at = reply.indexOf("{", Math.max(at + 1, from));
  }
  rest += reply.slice(from);
  const placeInReply = (place: number): number =>
    objects.reduce((sum, { text, start }) => (sum >= start ? sum + text.length : sum), place);
  let begin = 0;
  const lines = rest.split(/(\r\n|[\n\r\u2028\u2029])/).map((text): Line => {
    const start = begin;
    begin += text.length;
    return { text, placeOf: (place) => placeInReply(start + place) };
  });
  return { objects, lines };
}

/** Characters of one object, and its levels. */
const LONGEST_OBJECT = 20_000;
const DEEPEST_OBJECT = 32;

/** Behind the brace that closes the one at `start`. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  const limit = Math.min(text.length, start + LONGEST_OBJECT);
  for (let at = start; at < limit; at++) {
    const c = text[at];
    if (inString) {
      if (c === "\\") at++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{" || c === "[") {
      if (++depth > DEEPEST_OBJECT) return undefined;
    } else if ((c === "}" || c === "]") && --depth === 0) return at + 1;
  }
  return undefined;
}

/** What JSON is made of, white space and separators aside. */
const jsonToken = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]|[^\s{}[\]",:]+/gs;

/**
 * Markers under keys that ask for a verdict, at any depth. Of the text itself, since of two values under one key an object keeps the last.
 *
 * @param json  which is JSON
 */
function valuesNamed({ text, start }: JsonText, markers: readonly string[]): Naming[] {
  const found: Naming[] = [];
  let key: string | undefined;
  for (const match of text.matchAll(jsonToken)) {
    const [token, colon] = match;
    if (colon !== undefined) {
      key = String(parsedJson(token.slice(0, -colon.length)));
      continue;
    }
    const asked = key !== undefined && asksForVerdict(key);
    key = undefined;
    const value: unknown = asked && !/^[{}[\]]/.test(token) ? parsedJson(token) : undefined;
    const named =
      typeof value === "string" || typeof value === "number" ? lineNames(String(value), markers) : undefined;
    if (named === undefined) continue;
    const place = token.lastIndexOf((markers[named.index] ?? "").trim());
    found.push({ index: named.index, at: start + match.index + Math.max(0, place) });
  }
  return found;
}
