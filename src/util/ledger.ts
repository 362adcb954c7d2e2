/**
 * An append-only JSONL file of finished work. A process may be killed at any moment: a last line without its newline was never
 * finished and is taken off; everything before it counts.
 * May not know: what the lines mean.
 */
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError, withPath } from "./errors.js";
import { makeDirectory } from "./files.js";
import { openInput, openToAppend } from "./input.js";
import { tryJson } from "./json.js";
import { faultOf } from "./schema.js";
import { excerpt } from "./terminal.js";

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
  await makeDirectory(dirname(path));
  const file = await openToAppend(path);
  try {
    const lines: Line[] = [];
    const finished = await visitLines(file, path, (value) => void lines.push(parse(value)));
    if (finished < (await file.stat()).size) await file.truncate(finished);
    return {
      lines,
      append: (line) => file.appendFile(`${JSON.stringify(line)}\n`).catch(told(path)),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The system names no file where a write fails. */
const told =
  (path: string) =>
  (error: unknown): never => {
    throw withPath(error, path);
  };

function parseLine<Line>(text: string, place: string, parse: (value: unknown) => Line): Line {
  try {
    const result = tryJson(text);
    if ("problem" in result) throw new Error(result.problem);
    return parse(result.value);
  } catch (error) {
    throw new UserError(`${place}: not a line of this ledger: ${excerpt(faultOf(error).replace(/\s+/g, " "), 300)}`, {
      remedy: "delete the file and start from scratch",
    });
  }
}

/** A line longer than this was not written by this program. */
const LONGEST_LINE = 64 * 1024 * 1024;

export interface GrowingLedger<Line> {
  /** On disk, flushed, when it returns. Lines that wait at the same time are flushed together. */
  append(line: Line): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens or starts a ledger that may have grown beyond memory: its lines pass by once, one at a time.
 *
 * @param visit  takes each finished line; throws with the reason where it is not what it should be
 * @throws UserError  as `openLedger`
 */
export async function openGrowingLedger<Line>(
  path: string,
  visit: (value: unknown) => void,
): Promise<GrowingLedger<Line>> {
  await makeDirectory(dirname(path));
  const file = await openToAppend(path);
  try {
    const finished = await visitLines(file, path, visit);
    if (finished < (await file.stat()).size) await file.truncate(finished);
    return { append: appender(file, path), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The lines of a ledger that another process may be adding to: a last line that is not finished is left alone. */
export async function readLedger(path: string, visit: (value: unknown) => void): Promise<void> {
  const file = await openInput(path);
  try {
    await visitLines(file, path, visit);
  } finally {
    await file.close();
  }
}

/** Gives the length of all finished lines in bytes. */
async function visitLines(file: FileHandle, path: string, visit: (value: unknown) => void): Promise<number> {
  const chunk = Buffer.allocUnsafe(1 << 20);
  let begun: Buffer[] = []; // of a line that is not whole yet
  let begunBytes = 0;
  let finished = 0;
  let line = 0;
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return finished;
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0 && end < bytesRead; end = chunk.indexOf(0x0a, start)) {
      const text = Buffer.concat([...begun, chunk.subarray(start, end)]).toString("utf8");
      parseLine(text, `${path}:${++line}`, visit);
      [begun, begunBytes, start] = [[], 0, end + 1];
      finished = position + start;
    }
    begun.push(Buffer.from(chunk.subarray(start, bytesRead)));
    begunBytes += bytesRead - start;
    if (begunBytes > LONGEST_LINE) {
      throw new UserError(`${path}:${line + 1}: a line of more than ${LONGEST_LINE} bytes`, {
        remedy: "this file is not a ledger; name another folder",
      });
    }
    position += bytesRead;
  }
}

function appender<Line>(file: FileHandle, path: string): (line: Line) => Promise<void> {
  let waiting: string[] = [];
  let last: Promise<void> = Promise.resolve();
  let failed: unknown;
  const flush = async (): Promise<void> => {
    if (failed !== undefined) throw failed;
    if (waiting.length === 0) return; // went with the lines before
    const lines = waiting;
    waiting = [];
    try {
      await file.appendFile(lines.join("")).catch(told(path));
      await file.datasync().catch(told(path));
    } catch (error) {
      failed = error; // half a line may be there: nothing may be written behind it
      throw error;
    }
  };
  return (line) => {
    waiting.push(`${JSON.stringify(line)}\n`);
    last = last.catch(() => undefined).then(flush);
    return last;
  };
}
