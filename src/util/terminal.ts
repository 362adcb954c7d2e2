/**
 * Text for a terminal: colour where it is wanted, columns that line up, and nothing that a file could smuggle in.
 * May not know: what is being said.
 */

/** The part of a stream that decides what may be written to it. `process.stderr` is one. */
export interface TerminalStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

export type Style = keyof typeof styles;

/** `paint("red", text)`: the text in colour, or the text. */
export type Paint = (style: Style, text: string) => string;

/** Whether colour goes to this stream: `NO_COLOR` and `FORCE_COLOR` decide, else whether it is a terminal. */
export function wantsColour(stream: TerminalStream, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false; // https://no-color.org
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "") return env.FORCE_COLOR !== "0";
  return stream.isTTY === true && env.TERM !== "dumb";
}

export function paintFor(stream: TerminalStream, env: NodeJS.ProcessEnv = process.env): Paint {
  if (!wantsColour(stream, env)) return (_style, text) => text;
  return (style, text) => `\u001b[${styles[style]}m${text}\u001b[0m`;
}

// C0 and C1 controls and the bidirectional overrides: what can move the cursor, recolour or reorder a line.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** `text` with every control character but tab and newline written as an escape: safe to show whatever file it came from. */
export function printable(text: string): string {
  return text.replace(unsafe, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** `printable` on one line: tabs and newlines are escaped too. */
export function quoted(text: string): string {
  return printable(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** At most `width` code points, the last of them `…` where something was left out. */
export function shorten(text: string, width: number): string {
  const points = [...text];
  return points.length <= width ? text : `${points.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** Text of a file, a server or a flag as part of a message: one line, safe to print, at most `width` code points of it. */
export const excerpt = (text: string, width = 160): string => quoted(shorten(text.slice(0, 2 * width), width));

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colour codes, which take no room on the screen
const colourCodes = /\u001b\[\d+m/g;

// The blocks that terminals draw two cells wide (Unicode TR 11, W and F), coarse on purpose.
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/gu;

/** Cells that `text` takes on a screen. */
export function displayWidth(text: string): number {
  const shown = text.replace(colourCodes, "");
  return [...shown].length + (shown.match(wide)?.length ?? 0);
}

/** Rows as columns two spaces apart. Columns named in `right` are flush right; the last column is never padded. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, displayWidth(cell));
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const gap = " ".repeat((widths[i] ?? 0) - displayWidth(cell));
        if (right.includes(i)) return gap + cell;
        return i === row.length - 1 ? cell : cell + gap;
      })
      .join("  ")
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join("");
}
