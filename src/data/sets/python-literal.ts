/**
 * The text of a Python list of strings (what `repr` or `str` of such a list gives) as strings. A parser, and a small one:
 * anything else that Python might evaluate is refused, nothing is ever run.
 * May not know: data sets.
 *
 * Grammar: https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals
 */

export type LiteralResult = { readonly items: readonly string[] } | { readonly problem: string };

interface Cursor {
  readonly text: string;
  at: number;
}

export function parsePythonStringList(text: string): LiteralResult {
  const cursor: Cursor = { text, at: 0 };
  const items: string[] = [];
  skipSpace(cursor);
  if (!take(cursor, "[")) return expected(cursor, '"["');
  skipSpace(cursor);
  while (!take(cursor, "]")) {
    const item = parseString(cursor);
    if ("problem" in item) return item;
    items.push(item.text);
    skipSpace(cursor);
    const more = take(cursor, ",");
    skipSpace(cursor);
    if (!more && cursor.text[cursor.at] !== "]") return expected(cursor, '"," or "]"');
  }
  skipSpace(cursor);
  return cursor.at === text.length ? { items } : expected(cursor, "the end");
}

function skipSpace(cursor: Cursor): void {
  while (" \t\r\n\f".includes(cursor.text[cursor.at] ?? "x")) cursor.at++;
}

function take(cursor: Cursor, char: string): boolean {
  if (cursor.text[cursor.at] !== char) return false;
  cursor.at++;
  return true;
}

function expected(cursor: Cursor, what: string): { readonly problem: string } {
  const found = cursor.text[cursor.at];
  const shown = found === undefined ? "the end" : JSON.stringify(found);
  return { problem: `not a Python list of strings: ${what} expected at character ${cursor.at + 1}, found ${shown}` };
}

type StringResult = { readonly text: string } | { readonly problem: string };

function parseString(cursor: Cursor): StringResult {
  const quote = cursor.text[cursor.at];
  if (quote !== "'" && quote !== '"') return expected(cursor, "a string in quotes");
  const began = cursor.at++;
  const parts: string[] = [];
  for (;;) {
    const char = cursor.text[cursor.at];
    if (char === undefined || char === "\n")
      return { problem: `a string that begins at character ${began + 1} is not closed` };
    if (char === quote) {
      cursor.at++;
      return { text: parts.join("") };
    }
    if (char !== "\\") {
      parts.push(char);
      cursor.at++;
      continue;
    }
    const escaped = parseEscape(cursor);
    if ("problem" in escaped) return escaped;
    parts.push(escaped.text);
  }
}

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ["\n", ""],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["a", "\u0007"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/** An escape sequence, from its backslash. One that Python does not know stands for itself, backslash included. */
function parseEscape(cursor: Cursor): StringResult {
  const began = cursor.at;
  const kind = cursor.text[began + 1] ?? "";
  const simple = SIMPLE.get(kind);
  if (simple !== undefined) {
    cursor.at += 2;
    return { text: simple };
  }
  const digits = HEX_DIGITS.get(kind);
  if (digits !== undefined) {
    const hex = cursor.text.slice(began + 2, began + 2 + digits);
    const code = /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : Number.NaN;
    if (!(code <= 0x10ffff)) return { problem: `bad escape \\${kind} at character ${began + 1}` };
    cursor.at += 2 + digits;
    return { text: String.fromCodePoint(code) };
  }
  const octal = /^[0-7]{1,3}/.exec(cursor.text.slice(began + 1, began + 4))?.[0];
  if (octal !== undefined) {
    cursor.at += 1 + octal.length;
    return { text: String.fromCodePoint(Number.parseInt(octal, 8)) };
  }
  if (kind === "N")
    return { problem: `a character by name (\\N) at character ${began + 1}, which this parser does not know` };
  cursor.at++;
  return { text: "\\" };
}
