/**
 * What a schema complains of, in words: where, and what is wrong. Keys and values of any length are shown in part.
 * May not know: where the value came from.
 */

import type { z } from "zod";
import { reasonOf, UserError } from "./errors.js";
import { excerpt, printable, shorten } from "./terminal.js";
import type { Words } from "./words.js";

/** Where in a value: keys and indices from outside in. */
export type ValuePath = readonly PropertyKey[];

/** Code points of one key, and of a whole message. */
const LONGEST_KEY = 60;
const LONGEST_MESSAGE = 300;

/** What a schema complains of first: where, and in words. */
export function firstIssue(error: z.ZodError): { readonly at: ValuePath; readonly message: string } {
  const issue = error.issues[0] as z.core.$ZodIssue;
  const at = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
  const more = error.issues.length === 1 ? "" : ` (and ${error.issues.length - 1} more)`;
  return { at, message: `${describe(issue.path, wordsOf(issue))}${more}` };
}

/** The whole complaint on one line: `limits.retries: expected number, received string (and 2 more)`. */
export const complaintOf = (error: z.ZodError): string => firstIssue(error).message;

/** What anything thrown says, a schema's complaint on one line. */
export const faultOf = (error: unknown): string =>
  error instanceof Error && error.name === "ZodError" ? complaintOf(error as z.ZodError) : reasonOf(error);

/**
 * @param place  what stands before the complaint: a path, or a path and a line
 * @throws UserError  `PLACE: where: what is wrong`
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, place: string, remedy: Words): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UserError(`${place}: ${complaintOf(result.error)}`, { remedy });
}

function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "unrecognized_keys") return issue.message.replace(/^Invalid input: /, "");
  const [first = "", ...others] = issue.keys;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  const hint = issue.message.startsWith("Unrecognized key") ? "" : `; ${issue.message}`; // where a schema has words of its own
  return `Unrecognized key${others.length === 0 ? "" : "s"}: "${excerpt(first, LONGEST_KEY)}"${more}${hint}`;
}

/** `limits.retries: expected number, received string`, and `rules[1].scores[" I"]: …`. */
export function describe(path: ValuePath, message: string): string {
  const place = path
    .map((part, depth) => {
      if (typeof part === "number") return `[${part}]`;
      const key = String(part);
      if (/^[\w.-]{1,60}$/.test(key)) return `${depth === 0 ? "" : "."}${key}`;
      return `[${printable(JSON.stringify(shorten(key, LONGEST_KEY)))}]`;
    })
    .join("");
  const shown = excerpt(message, LONGEST_MESSAGE);
  return place === "" ? shown : `${excerpt(place, LONGEST_MESSAGE)}: ${shown}`;
}
