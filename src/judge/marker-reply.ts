/**
 * The grammar of replies that name a marker: a marker decides where it stands alone on a line, as the value of a key that asks for a
 * verdict (`Answer: m`, `{"verdict": "m"}`), or in a tag of that name. Markers inside sentences never count, and two that decide
 * differently are no verdict. docs/guide/judge.md has it as a table.
 * May not know: reasoning, which is cut off before; which answer is the model's.
 */

import { parsedJson } from "../util/http-body.js";

export type Named =
  | { readonly kind: "marker"; readonly index: number }
  | { readonly kind: "none" }
  /** Different markers decide. */
  | { readonly kind: "several" };

/** Longer lines name nothing: they are prose. */
const LONGEST_LINE = 300;
/** Braces of one reply that may open an object. */
const MOST_OBJECTS = 64;

/** @param reply  without its reasoning */
export function markerNamed(reply: string, markers: readonly string[]): Named {
  const { objects, rest } = takeOutJson(reply);
  const named = new Set([
    ...objects.flatMap((value) => valuesNamed(value, markers)),
    ...rest.split(/\r\n|[\n\r\u2028\u2029]/).flatMap((line) => lineNames(line, markers)),
  ]);
  const [index, other] = named;
  if (other !== undefined) return { kind: "several" };
  return index === undefined ? { kind: "none" } : { kind: "marker", index };
}

/** Whether a whole reply is one marker and what may surround it. */
export const isOneMarker = (reply: string, markers: readonly string[]): boolean =>
  !/[\n\r]/.test(reply.trim()) && lineNames(reply, markers).length === 1;

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

/** The marker that decides on this line, as a list of none or one. */
function lineNames(line: string, markers: readonly string[]): number[] {
  if (line.length > LONGEST_LINE) return [];
  const [, tag = "", inside = ""] = tagged.exec(line) ?? [];
  const index = longestFirst(markers).find((i) => {
    const marker = (markers[i] ?? "").trim();
    return standsAlone(line, marker) || (asksForVerdict(tag) && standsAlone(inside, marker));
  });
  return index === undefined ? [] : [index];
}

/** Alone but for what may surround it, or behind a key. */
function standsAlone(line: string, marker: string): boolean {
  const at = line.lastIndexOf(marker);
  if (marker === "" || at < 0 || !isClosing.test(line.slice(at + marker.length))) return false;
  const ahead = line.slice(0, at);
  if (isOpening.test(ahead)) return true;
  const [, key] = endsWithKey.exec(ahead) ?? [];
  return key !== undefined && asksForVerdict(key.replace(around, ""));
}

/** A marker may be another one with decoration. */
const longestFirst = (markers: readonly string[]): number[] =>
  [...markers.keys()].sort((a, b) => (markers[b] ?? "").length - (markers[a] ?? "").length);

/** Objects of JSON that stand in a text, and the text without them. */
function takeOutJson(text: string): { readonly objects: readonly unknown[]; readonly rest: string } {
  const objects: unknown[] = [];
  let rest = "";
  let from = 0;
  let at = text.indexOf("{");
  for (let looked = 0; at >= 0 && looked < MOST_OBJECTS; looked++) {
    const end = endOfObject(text, at);
    const value = end === undefined ? undefined : parsedJson(text.slice(at, end));
    if (end !== undefined && value !== undefined) {
      objects.push(value);
      rest += text.slice(from, at);
      from = end;
    }
    at = text.indexOf("{", Math.max(at + 1, from));
  }
  return { objects, rest: rest + text.slice(from) };
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

/** Markers under keys that ask for a verdict, at any depth. */
function valuesNamed(value: unknown, markers: readonly string[]): number[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesNamed(item, markers));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    if (typeof item === "object") return valuesNamed(item, markers);
    if (!asksForVerdict(key) || (typeof item !== "string" && typeof item !== "number")) return [];
    return lineNames(String(item), markers);
  });
}
