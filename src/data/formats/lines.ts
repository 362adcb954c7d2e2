/**
 * A text file as numbered lines, in constant memory: LF or CRLF, UTF-8, at most `limit` bytes a line.
 * May not know: what a line means.
 */
import { decodeUtf8, longerThan, MAX_RECORD_BYTES, NOT_UTF8, readTextBytes } from "./bytes.js";

/** A line without its end, or why it could not be read. Numbers count from 1. */
export type Line =
  | { readonly number: number; readonly text: string }
  /** `lossy`: what can be made out of bytes that are not UTF-8, to find one's way by and not to keep. */
  | { readonly number: number; readonly problem: string; readonly lossy: string };

/** The lines of a file, a batch for each chunk that was read (one promise a line would cost more than the line). */
export async function* readLines(path: string, limit = MAX_RECORD_BYTES): AsyncGenerator<Line[]> {
  const splitter = lineSplitter(limit);
  for await (const chunk of readTextBytes(path)) {
    const lines = splitter.push(chunk);
    if (lines.length > 0) yield lines;
  }
  const last = splitter.end();
  if (last !== undefined) yield [last];
}

export interface LineSplitter {
  push(chunk: Buffer): Line[];
  /** The last line, where the file does not end in a line break. */
  end(): Line | undefined;
}

export function lineSplitter(limit: number): LineSplitter {
  let number = 1;
  let held: Buffer[] = [];
  let heldBytes = 0; // counts on beyond the limit, though nothing more is held

  const hold = (piece: Buffer): void => {
    heldBytes += piece.length;
    if (heldBytes > limit) held = [];
    else if (piece.length > 0) held.push(piece);
  };
  const finish = (piece: Buffer): Line => {
    let line: Line;
    if (heldBytes + piece.length > limit) line = { number, problem: `the line is ${longerThan(limit)}`, lossy: "" };
    else line = decodeLine(number, heldBytes === 0 ? piece : Buffer.concat([...held, piece]));
    number++;
    held = [];
    heldBytes = 0;
    return line;
  };
  return {
    push(chunk) {
      const lines: Line[] = [];
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
        lines.push(finish(chunk.subarray(start, end)));
        start = end + 1;
      }
      hold(chunk.subarray(start));
      return lines;
    },
    end: () => (heldBytes > 0 ? finish(Buffer.alloc(0)) : undefined),
  };
}

function decodeLine(number: number, bytes: Buffer): Line {
  const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
  const text = decodeUtf8(bytes.subarray(0, end));
  return text === undefined ? { number, problem: NOT_UTF8, lossy: bytes.toString("latin1", 0, end) } : { number, text };
}
