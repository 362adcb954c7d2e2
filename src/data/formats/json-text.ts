/**
 * One JSON value out of a row of data, or the reason why not.
 * May not know: files, data sets.
 */
import { closingQuote, isObject, tryJson } from "../../util/json.js";
import { excerpt } from "../../util/terminal.js";

export type JsonRow = { readonly value: unknown } | { readonly problem: string };

export function parseJsonText(text: string): JsonRow {
  const result = tryJson(text);
  if (!("value" in result)) return { problem: `${result.problem} (character ${result.offset + 1})` };
  if (colonsIn(text) === keysIn(result.value)) return result;
  const { key, offset } = duplicateIn(text);
  return { problem: `duplicate key "${excerpt(key, 60)}" (character ${offset + 1})` };
}

const COLON = 0x3a;
const QUOTE = 0x22;

/** Of a text that is JSON: every key is followed by one, those included that a later one of the same name replaces. */
function colonsIn(text: string): number {
  let colons = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = closingQuote(text, at);
    else if (code === COLON) colons++;
  }
  return colons;
}

function keysIn(value: unknown): number {
  let keys = 0;
  if (Array.isArray(value)) for (const one of value) keys += keysIn(one);
  else if (isObject(value)) for (const one of Object.values(value)) keys += 1 + keysIn(one);
  return keys;
}

/** The first key of a text that is JSON which its object has already, and where it begins. */
function duplicateIn(text: string): { readonly key: string; readonly offset: number } {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "{" || character === "[") open.push(new Set());
    else if (character === "}" || character === "]") open.pop();
    if (character !== '"') continue;
    const end = closingQuote(text, at);
    let next = end + 1;
    while (" \t\r\n".includes(text.charAt(next))) next++;
    if (text.charCodeAt(next) === COLON) {
      const parsed = tryJson(text.slice(at, end + 1));
      const key = "value" in parsed ? String(parsed.value) : "";
      if (open.at(-1)?.has(key)) return { key, offset: at };
      open.at(-1)?.add(key);
    }
    at = end;
  }
  return { key: "", offset: 0 };
}
