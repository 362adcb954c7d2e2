/**
 * A file of JSON lines that is appended to and never read back by a run: nothing of a result depends on it, and it is not flushed to the disk.
 * May not know: what the lines say.
 */
import { writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { reasonOf, withPath } from "./errors.js";
import { openToAppend } from "./input.js";

export interface LineLog {
  /** At once: lines stand in the order in which they were said. */
  append(value: unknown): void;
  close(): Promise<void>;
}

/**
 * @param onLost  told once, where a line cannot be written: no line is written after it, and the run continues
 * @throws UserError  what stands there is no regular file
 */
export async function openLineLog(path: string, onLost: (reason: string) => void): Promise<LineLog> {
  const file = await openToAppend(path);
  try {
    await dropTornLine(file);
  } catch (error) {
    await file.close();
    throw withPath(error, path);
  }
  let lost = false;
  return {
    append(value) {
      if (lost) return;
      try {
        writeSync(file.fd, `${JSON.stringify(value)}\n`);
      } catch (error) {
        lost = true;
        onLost(reasonOf(withPath(error, path)));
      }
    },
    close: () => file.close(),
  };
}

/** Bytes. What does not end in so many is no line of ours, and stays. */
const TAIL = 1 << 16;

/** A process that was killed may have left half a line. */
async function dropTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(TAIL, size));
  await file.read(tail, 0, tail.length, size - tail.length);
  const end = tail.lastIndexOf("\n") + 1;
  if (end < tail.length && (end > 0 || size <= TAIL)) await file.truncate(size - tail.length + end);
}
