/**
 * The one reader of YAML: hand-written files checked against a schema, with their size, depth, values, anchors and aliases bounded before
 * a document is made of them. Every complaint names the file, the line and the column.
 * May not know: what the file says.
 */
import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { UserError } from "./errors.js";
import { readInputText } from "./input.js";
import { MAX_DEPTH } from "./json.js";
import { firstIssue, type ValuePath } from "./schema.js";
import { excerpt } from "./terminal.js";
import { beyondBounds, MOST_NODES } from "./yaml-bounds.js";
import { TOO_MANY, yamlFault } from "./yaml-faults.js";

/** A hand-written file of this size is a mistake. */
const LARGEST_FILE = 4 * 1024 * 1024;

/**
 * The text of a hand-written file.
 *
 * @param what  for messages: `the judge`
 * @throws UserError  there is none, it is not UTF-8, or it is far too large
 */
export const readSmallText = (path: string, what: string, remedy: string): Promise<string> =>
  readInputText(path, { most: LARGEST_FILE, what, remedy });

export interface YamlText {
  readonly value: unknown;
  /** Whether the text itself holds something at this path. */
  has(path: ValuePath): boolean;
  /** An error of the value at `path`, or of the nearest above it: `FILE:LINE:COLUMN: message`. */
  errorAt(path: ValuePath, message: string): UserError;
}

type ErrorAt = (offset: number, message: string) => UserError;

/**
 * The text as plain data that knows where each value stands.
 *
 * @param path    only for messages
 * @param remedy  what every complaint ends with
 * @param options.stringKeys  refuse keys that are no strings as they stand: `1: 2`, `!: 2` and `null: 2` are not what they look like
 * @throws UserError  not YAML, or beyond the bounds
 */
export function openYaml(text: string, path: string, remedy: string, { stringKeys = false } = {}): YamlText {
  const lines = new LineCounter();
  const errorAt: ErrorAt = (offset, message) => {
    const { line, col } = lines.linePos(offset);
    return new UserError(`${path}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${message}`, { remedy });
  };
  const beyond = beyondBounds(text);
  if (beyond !== undefined) {
    for (let at = text.indexOf("\n"); at >= 0 && at < beyond.offset; at = text.indexOf("\n", at + 1))
      lines.addNewLine(at + 1);
    lines.lineStarts.unshift(0);
    throw errorAt(beyond.offset, beyond.problem);
  }
  // The library compares every key of a map with every other one.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const syntax = [...document.errors, ...document.warnings][0];
  if (syntax !== undefined) throw errorAt(syntax.pos[0], yamlFault(syntax.code));
  refuseDuplicates(document, errorAt);
  refuseBadAliases(document, errorAt);
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

/** Maps become objects, whose keys are strings: of two that are the same as strings the last would win. */
function refuseDuplicates(document: Document, errorAt: ErrorAt): void {
  visit(document, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const at = isNode(key) ? (key.range?.[0] ?? 0) : (map.range?.[0] ?? 0);
        const name = nameOf(key);
        if (name === undefined) throw errorAt(at, "a list, a map or an alias cannot be a key: write the key as a text");
        if (seen.has(name)) throw errorAt(at, `duplicate key "${excerpt(name, 60)}"`);
        seen.add(name);
      }
    },
  });
}

/** The property that a key becomes: `1`, `1.0` and `"1"` are one, and so are `""` and none. */
function nameOf(key: unknown): string | undefined {
  if (key === null) return "";
  if (!isScalar(key)) return undefined;
  return key.value === null ? "" : String(key.value);
}

/** An alias of nothing stands for nothing, and one inside what it stands for has no end. */
function refuseBadAliases(document: Document, errorAt: ErrorAt): void {
  const anchored = new Map<string, Node>(); // an alias means the last node of that name before it
  visit(document, {
    Node(_key, node, path) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchored.set(node.anchor, node);
        return;
      }
      const at = node.range?.[0] ?? 0;
      const meant = anchored.get(node.source);
      if (meant === undefined) throw errorAt(at, yamlFault("BAD_ALIAS"));
      if (path.some((above) => above === meant))
        throw errorAt(at, `the alias *${excerpt(node.source, 60)} is inside its own anchor`);
    },
  });
}

function refuseOtherKeys(document: Document, errorAt: ErrorAt): void {
  visit(document, {
    Pair(_index, pair) {
      const key = pair.key;
      if (isScalar(key) && typeof key.value === "string" && key.tag === undefined) return;
      const node = isNode(key) ? key : isNode(pair.value) ? pair.value : undefined;
      throw errorAt(node?.range?.[0] ?? 0, 'a key must be a string: write it in double quotes, as in "1": -2');
    },
  });
}

function toPlain(document: Document, errorAt: ErrorAt): unknown {
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    throw errorAt(0, TOO_MANY); // the one thing that is only found here
  }
  const beyond = expandedBeyond(value);
  if (beyond !== undefined) throw errorAt(0, beyond);
  return value;
}

/** Aliases share what they stand for; whoever walks through the value meets it once for each. */
function expandedBeyond(value: unknown): string | undefined {
  let level: readonly unknown[] = [value];
  let nodes = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH} levels`;
    nodes += level.length;
    if (nodes > 4 * MOST_NODES) return `more than ${4 * MOST_NODES} values, aliases written out`;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return undefined;
}

/** Where the value at `path` begins; for a key that the schema does not know, where the key begins; for a missing one, its parent. */
function offsetOf(document: Document, path: ValuePath): number {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => nameOf(item.key) === String(key));
      const node = pair?.value ?? pair?.key;
      if (isNode(node) && node.range) return node.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0;
}
