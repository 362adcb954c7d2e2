/**
 * Where a text stops being JSON (RFC 8259), and what was expected there. The runtime's own messages have no place in some cases and
 * repeat the text in others. Called only where parsing has failed.
 * May not know: values.
 */
import { excerpt } from "./terminal.js";

export interface Fault {
  readonly problem: string;
  /** In UTF-16 code units. */
  readonly offset: number;
}

/** What may come next; `…OrEnd` at the beginning of a list or an object, which may be empty. */
type Expected = "value" | "valueOrEnd" | "key" | "keyOrEnd" | "colon" | "commaOrEnd" | "nothing";

/** The first fault, or undefined where the text is JSON. */
export function faultIn(text: string): Fault | undefined {
  const open: ("[" | "{")[] = [];
  let expected: Expected = "value";
  const afterValue = (): Expected => (open.length === 0 ? "nothing" : "commaOrEnd");
  for (let at = 0; ; ) {
    at = skipSpace(text, at);
    const char = text[at];
    if (char === undefined) {
      if (expected === "nothing") return undefined;
      const where = open.at(-1) === "[" ? " inside a list" : open.length > 0 ? " inside an object" : "";
      return { problem: text.trim() === "" ? "it is empty" : `it ends${where}`, offset: text.length };
    }
    const fault = (): Fault => ({
      problem: `expected ${inWords(expected, open.at(-1))}, found ${found(text, at)}`,
      offset: at,
    });
    switch (expected) {
      case "valueOrEnd":
      case "value": {
        if (char === "]" && expected === "valueOrEnd") {
          open.pop();
          expected = afterValue();
          at++;
        } else if (char === "[" || char === "{") {
          open.push(char);
          expected = char === "[" ? "valueOrEnd" : "keyOrEnd";
          at++;
        } else {
          const end = char === '"' ? stringEnd(text, at) : scalarEnd(text, at);
          if (end === undefined) return fault();
          if (typeof end !== "number") return end;
          at = end;
          expected = afterValue();
        }
        break;
      }
      case "keyOrEnd":
      case "key": {
        if (char === "}" && expected === "keyOrEnd") {
          open.pop();
          expected = afterValue();
          at++;
          break;
        }
        if (char !== '"') return fault();
        const end = stringEnd(text, at);
        if (typeof end !== "number") return end;
        at = end;
        expected = "colon";
        break;
      }
      case "colon":
        if (char !== ":") return fault();
        expected = "value";
        at++;
        break;
      case "commaOrEnd": {
        const list = open.at(-1) === "[";
        if (char === ",") expected = list ? "value" : "key";
        else if (char === (list ? "]" : "}")) {
          open.pop();
          expected = afterValue();
        } else return fault();
        at++;
        break;
      }
      case "nothing":
        return fault();
      default:
        expected satisfies never;
    }
  }
}

const SPACE = /[\t\n\r ]*/y;

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function scalarEnd(text: string, at: number): number | undefined {
  SCALAR.lastIndex = at;
  return SCALAR.test(text) ? SCALAR.lastIndex : undefined;
}

/** The index after the closing quote, or what is wrong inside. */
function stringEnd(text: string, at: number): number | Fault {
  for (let i = at + 1; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '"') return i + 1;
    if (char < " ") return { problem: `${found(text, i)} inside a string must be written as an escape`, offset: i };
    if (char !== "\\") continue;
    const written = text.slice(i + 1, i + 6);
    if (!/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(written))
      return { problem: `no such escape: ${excerpt(`\\${written[0] ?? ""}`, 8)}`, offset: i };
    i++;
  }
  return { problem: "a string that begins here is not closed", offset: at };
}

function inWords(expected: Expected, open: "[" | "{" | undefined): string {
  switch (expected) {
    case "value":
      return "a value";
    case "valueOrEnd":
      return "a value or ]";
    case "key":
      return "a key in double quotes";
    case "keyOrEnd":
      return "a key in double quotes or }";
    case "colon":
      return "a colon after the key";
    case "commaOrEnd":
      return open === "[" ? "a comma or ]" : "a comma or }";
    case "nothing":
      return "nothing more";
    default:
      return expected satisfies never;
  }
}

/** `"NaN"`: the word there, or the one character. */
const found = (text: string, at: number): string =>
  `"${excerpt(/^[\w+.-]{1,24}/.exec(text.slice(at, at + 24))?.[0] ?? String.fromCodePoint(text.codePointAt(at) ?? 0), 24)}"`;
