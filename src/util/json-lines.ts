/**
 * JSON lines out of a file, in constant memory: one value a line, blank lines passed over, every complaint with its line.
 * May not know: what the values mean.
 */
import { UserError } from "./errors.js";
import { decodeText, type InputOptions, inputChunks } from "./input.js";
import { tryJson } from "./json.js";

/** Bytes of a line that is held in memory. */
export const LONGEST_LINE = 64 * 2 ** 20;

export interface JsonLine {
  /** From 1. */
  readonly line: number;
  readonly value: unknown;
}

/** @throws UserError  no regular file, or `path:line: what is wrong` */
export async function* readJsonLines(
  path: string,
  options: InputOptions & { readonly longest?: number } = {},
): AsyncGenerator<JsonLine> {
  const { longest = LONGEST_LINE, remedy = "correct it, or fetch it again" } = options;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let line = 1;
  const hold = (piece: Buffer): void => {
    heldBytes += piece.length;
    if (heldBytes > longest)
      throw new UserError(`${path}:${line}: the line is longer than ${longest} bytes`, { remedy });
    held.push(piece);
  };
  const finish = (): readonly JsonLine[] => {
    const text = decodeText(held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held), `${path}:${line}`);
    [held, heldBytes] = [[], 0];
    const number = line++;
    return text.trim() === "" ? [] : [{ line: number, value: parsedLine(text, `${path}:${number}`, remedy) }];
  };
  for await (const chunk of inputChunks(path, options)) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      hold(chunk.subarray(start, end));
      yield* finish();
      start = end + 1;
    }
    if (start < chunk.length) hold(chunk.subarray(start));
  }
  if (heldBytes > 0) yield* finish();
}

function parsedLine(text: string, place: string, remedy: string): unknown {
  const result = tryJson(text);
  if ("value" in result) return result.value;
  throw new UserError(`${place}:${result.offset + 1}: ${result.problem}`, { remedy });
}
