/**
 * A YAML file checked against a schema. Every complaint names the file, the line and the column.
 * May not know: what the file says.
 */
import { readFile, stat } from "node:fs/promises";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { UserError } from "./errors.js";

/** A hand-written file of this size is a mistake. */
const LARGEST_FILE = 4 * 1024 * 1024;

/**
 * The text of a hand-written file.
 *
 * @param what  for messages: `the judge`
 * @throws UserError  there is none, it is not UTF-8, or it is far too large
 */
export async function readSmallText(path: string, what: string, remedy: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST_FILE) throw new UserError(`${path} has ${size} bytes; ${what} cannot be that large`, { remedy });
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof TypeError) throw new UserError(`${path} is not UTF-8 text`, { cause: error });
    throw new UserError(`cannot read ${what} ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, {
      remedy,
    });
  }
}

/**
 * @param path    only for messages
 * @param remedy  what every complaint ends with
 * @throws UserError  `path:line:column: what is wrong`
 */
export function parseYaml<T>(text: string, path: string, schema: z.ZodType<T>, remedy: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fail = (offset: number, message: string, others = 0): never => {
    const { line, col } = lines.linePos(offset);
    const more = others === 0 ? "" : ` (and ${others} more)`;
    throw new UserError(`${path}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${message}${more}`, { remedy });
  };
  const syntax = [...document.errors, ...document.warnings][0];
  if (syntax !== undefined) fail(syntax.pos[0], syntax.message.replace(/\s+/g, " "));
  const parsed = schema.safeParse(toPlain(document, fail));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const at = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
  return fail(offsetOf(document, at), describe(issue), parsed.error.issues.length - 1);
}

function toPlain(document: Document, fail: (offset: number, message: string) => never): unknown {
  try {
    return document.toJS();
  } catch (error) {
    return fail(0, (error as Error).message); // aliases that would expand without bound
  }
}

/** Where the value at `path` begins; for a key that the schema does not know, where the key begins; for a missing one, its parent. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      const node = pair?.value ?? pair?.key;
      if (isNode(node) && node.range) return node.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0;
}

/** `limits.retries: expected number, received string`. */
function describe(issue: z.core.$ZodIssue): string {
  const place = issue.path
    .map((part, depth) => (typeof part === "number" ? `[${part}]` : `${depth === 0 ? "" : "."}${String(part)}`))
    .join("");
  const message = issue.message.replace(/^Invalid input: /, "");
  return place === "" ? message : `${place}: ${message}`;
}
