/**
 * A YAML file checked against a schema. Every complaint names the file, the line and the column.
 * May not know: what the file says.
 */
import { readFile, stat } from "node:fs/promises";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
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

export type YamlPath = readonly PropertyKey[];

export interface YamlText {
  readonly value: unknown;
  /** Whether the text itself holds something at this path. */
  has(path: YamlPath): boolean;
  /** An error of the value at `path`, or of the nearest above it: `FILE:LINE:COLUMN: message`. */
  errorAt(path: YamlPath, message: string): UserError;
}

/**
 * The text as plain data that knows where each value stands.
 *
 * @param path    only for messages
 * @param remedy  what every complaint ends with
 * @param options.stringKeys  refuse keys that are no strings as they stand: `1: 2`, `!: 2` and `null: 2` are not what they look like
 * @throws UserError  not YAML
 */
export function openYaml(text: string, path: string, remedy: string, { stringKeys = false } = {}): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const errorAt = (offset: number, message: string): UserError => {
    const { line, col } = lines.linePos(offset);
    return new UserError(`${path}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${message}`, { remedy });
  };
  const syntax = [...document.errors, ...document.warnings][0];
  if (syntax !== undefined) throw errorAt(syntax.pos[0], syntax.message.replace(/\s+/g, " "));
  if (stringKeys) refuseOtherKeys(document, errorAt);
  return {
    value: toPlain(document, errorAt),
    has: (at) => document.hasIn(at),
    errorAt: (at, message) => errorAt(offsetOf(document, at), message),
  };
}

/**
 * @param path    only for messages
 * @param remedy  what every complaint ends with
 * @throws UserError  `path:line:column: what is wrong`
 */
export function parseYaml<T>(text: string, path: string, schema: z.ZodType<T>, remedy: string): T {
  const yaml = openYaml(text, path, remedy);
  const parsed = schema.safeParse(yaml.value);
  if (parsed.success) return parsed.data;
  const { at, message } = firstIssue(parsed.error);
  throw yaml.errorAt(at, message);
}

/** What a schema complains of first: where, and in words. */
export function firstIssue(error: z.ZodError): { readonly at: YamlPath; readonly message: string } {
  const issue = error.issues[0] as z.core.$ZodIssue;
  const at = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
  const more = error.issues.length === 1 ? "" : ` (and ${error.issues.length - 1} more)`;
  return { at, message: `${describe(issue.path, issue.message.replace(/^Invalid input: /, ""))}${more}` };
}

function refuseOtherKeys(document: Document, errorAt: (offset: number, message: string) => UserError): void {
  visit(document, {
    Pair(_index, pair) {
      const key = pair.key;
      if (isScalar(key) && typeof key.value === "string" && key.tag === undefined) return;
      const node = isNode(key) ? key : isNode(pair.value) ? pair.value : undefined;
      throw errorAt(node?.range?.[0] ?? 0, 'a key must be a string: write it in double quotes, as in "1": -2');
    },
  });
}

function toPlain(document: Document, errorAt: (offset: number, message: string) => UserError): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw errorAt(0, (error as Error).message); // aliases that would expand without bound
  }
}

/** Where the value at `path` begins; for a key that the schema does not know, where the key begins; for a missing one, its parent. */
function offsetOf(document: Document, path: YamlPath): number {
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

/** `limits.retries: expected number, received string`, and `rules[1].scores[" I"]: …`. */
export function describe(path: YamlPath, message: string): string {
  const place = path
    .map((part, depth) => {
      if (typeof part === "number") return `[${part}]`;
      const key = String(part);
      return /^[\w.-]+$/.test(key) ? `${depth === 0 ? "" : "."}${key}` : `[${JSON.stringify(key)}]`;
    })
    .join("");
  return place === "" ? message : `${place}: ${message}`;
}
