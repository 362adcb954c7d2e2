/**
 * Records of this program as they are written, and as they are read again: what a file does not hold is one line with the file, the place in it and what is wrong
 * there, whatever happened to the file since it was written.
 * May not know: what the records mean.
 */

import { existsSync } from "node:fs";
import type { z } from "zod";
import { UserError } from "./errors.js";
import { LARGEST_ROWS, readJsonAs } from "./json.js";
import { readLedger } from "./ledger.js";
import { complaintOf } from "./schema.js";
import type { Words } from "./words.js";

/** A record as the text of its file. */
export const recordText = (record: unknown): string => `${JSON.stringify(record, null, 2)}\n`;

/** A record as a line of its file. */
export const recordLine = (record: unknown): string => `${JSON.stringify(record)}\n`;

/** @throws UserError  the file is missing, is not JSON, or not what `schema` says; with `remedy` */
export async function readRecord<T>(path: string, schema: z.ZodType<T>, remedy: Words): Promise<T> {
  if (!existsSync(path)) throw new UserError(`${path} is missing`, { remedy });
  return await readJsonAs(path, schema, remedy, { most: LARGEST_ROWS });
}

/** A record, or undefined where there is no such file. */
export const readRecordIfThere = async <T>(
  path: string,
  schema: z.ZodType<T>,
  remedy: Words,
): Promise<T | undefined> => (existsSync(path) ? readRecord(path, schema, remedy) : undefined);

/** One record a line. A last line without its end was never finished, and is none. */
export async function readRecordLines<T>(path: string, schema: z.ZodType<T>, remedy: Words): Promise<T[]> {
  if (!existsSync(path)) throw new UserError(`${path} is missing`, { remedy });
  const lines: T[] = [];
  await readLedger(path, (value) => {
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new Error(complaintOf(parsed.error)); // the ledger adds file and line
    lines.push(parsed.data);
  }).catch((error: unknown) => {
    throw error instanceof UserError ? new UserError(error.message, { remedy, cause: error }) : error;
  });
  return lines;
}
