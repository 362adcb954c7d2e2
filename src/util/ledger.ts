/**
 * An append-only JSONL file of finished work. A process may be killed at any moment: a last line without its newline was never
 * finished and is taken off; everything before it counts.
 * May not know: what the lines mean.
 */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { reasonOf, UserError } from "./errors.js";

export interface Ledger<Line> {
  /** The lines that were there when it was opened. */
  readonly lines: readonly Line[];
  append(line: Line): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens or starts a ledger.
 *
 * @param parse  the line's value checked, or an exception with the reason
 * @throws UserError  a finished line is not what it should be; with its number
 */
export async function openLedger<Line>(path: string, parse: (value: unknown) => Line): Promise<Ledger<Line>> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a+");
  try {
    const bytes = await file.readFile();
    const finished = bytes.lastIndexOf(0x0a) + 1;
    const texts = bytes.toString("utf8", 0, finished).split("\n").slice(0, -1);
    const lines = texts.map((text, index) => parseLine(text, `${path}:${index + 1}`, parse));
    if (finished < bytes.length) await file.truncate(finished);
    return {
      lines,
      append: (line) => file.appendFile(`${JSON.stringify(line)}\n`),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function parseLine<Line>(text: string, place: string, parse: (value: unknown) => Line): Line {
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(`${place}: not a line of this ledger: ${reasonOf(error).replace(/\s+/g, " ")}`, {
      remedy: "delete the file to compute everything anew",
    });
  }
}
