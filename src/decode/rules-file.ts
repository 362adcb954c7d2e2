/**
 * Reads a rule file (YAML, version 1). Every complaint names the file, the line and the column.
 * May not know: tokenizers, models, engines.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { packageRoot } from "../util/system.js";
import type { RuleSet } from "./rules.js";

/** Rule files that come with the package, by name. */
export const shippedRules = ["paper", "reference"] as const;

/** A rule file of this size is a mistake: the shipped ones have about 1 kB. */
const LARGEST_FILE = 4 * 1024 * 1024;

/** Far beyond any use (exp(-1000) is already 0 in float64), and sums of scores stay exact enough in float32. */
const LARGEST_SCORE = 1e6;

export interface LoadedRules {
  readonly rules: RuleSet;
  /** The path that was read. */
  readonly path: string;
  /** sha256 of the file, for records. */
  readonly hash: string;
  readonly text: string;
}

/**
 * @param spec  `paper`, `reference`, or a path (`./paper` for a file of one's own with that name)
 * @throws UserError  no such file, not YAML, or not a rule file; with line and column where there is one
 */
export async function loadRules(spec: string): Promise<LoadedRules> {
  const shipped = shippedRules.find((name) => name === spec);
  const path = shipped === undefined ? spec : join(packageRoot(), "rules", `${shipped}.yaml`);
  const text = await readRuleFile(path);
  return { rules: parseRules(text, path), path, hash: sha256(text), text };
}

async function readRuleFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST_FILE) throw new UserError(`${path} has ${size} bytes; that is no rule file`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof TypeError) throw new UserError(`${path} is not UTF-8 text`, { cause: error });
    throw new UserError(`cannot read the rules ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, {
      remedy: `pass ${shippedRules.join(", ")} or the path of a rule file`,
    });
  }
}

const score = z.number().min(-LARGEST_SCORE).max(LARGEST_SCORE);
const name = z.string().min(1);
/** A lone surrogate stands for no bytes. */
const tokenString = z
  .string()
  .min(1)
  .refine((text) => !/\p{Surrogate}/u.test(text), "half a surrogate pair is no text");

const ruleSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    name,
    kind: z.literal("eos_ramp"),
    score,
    tokens: z.number().int().positive(),
    after: z.enum(["grow", "hold", "zero"]),
  }),
  z.strictObject({
    name,
    kind: z.literal("token_scores"),
    // A map, because a token may be called __proto__.
    scores: z.preprocess(objectToMap, z.map(tokenString, score)),
  }),
  z.strictObject({ name, kind: z.literal("used_tokens"), score, scope: z.enum(["response", "conversation"]) }),
]);

const rulesSchema = z.strictObject({ version: z.literal(1), name, rules: z.array(ruleSchema) });

function objectToMap(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : value;
}

/**
 * @param path  only for messages
 * @throws UserError  `path:line:column: what is wrong`
 */
export function parseRules(text: string, path: string): RuleSet {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fail = (offset: number, message: string, others = 0): never => {
    const { line, col } = lines.linePos(offset);
    const more = others === 0 ? "" : ` (and ${others} more)`;
    throw new UserError(`${path}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${message}${more}`, {
      remedy: "`tacit rules show paper` prints a complete example",
    });
  };
  const syntax = [...document.errors, ...document.warnings][0];
  if (syntax !== undefined) fail(syntax.pos[0], syntax.message.replace(/\s+/g, " "));
  refuseUnquotedKeys(document, fail);
  const parsed = rulesSchema.safeParse(toPlain(document, fail));
  if (parsed.success) return refuseRepeatedNames(parsed.data, document, fail);
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const at = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
  return fail(offsetOf(document, at), describe(issue), parsed.error.issues.length - 1);
}

type Fail = (offset: number, message: string, others?: number) => never;

function toPlain(document: Document, fail: Fail): unknown {
  try {
    return document.toJS();
  } catch (error) {
    return fail(0, (error as Error).message); // aliases that would expand without bound
  }
}

/** `1: 2`, `!: 2` and `null: 2` are not the strings they look like; a token's text must not depend on that. */
function refuseUnquotedKeys(document: Document, fail: Fail): void {
  visit(document, {
    Pair(_index, pair) {
      const key = pair.key;
      if (isScalar(key) && typeof key.value === "string" && key.tag === undefined) return;
      const node = isNode(key) ? key : isNode(pair.value) ? pair.value : undefined;
      fail(node?.range?.[0] ?? 0, 'a key must be a string: write it in double quotes, as in "1": -2');
    },
  });
}

function refuseRepeatedNames(rules: RuleSet, document: Document, fail: Fail): RuleSet {
  const seen = new Set<string>();
  for (const [index, rule] of rules.rules.entries()) {
    if (seen.has(rule.name)) {
      fail(offsetOf(document, ["rules", index, "name"]), `two rules are named "${rule.name}"; names must differ`);
    }
    seen.add(rule.name);
  }
  return rules;
}

/** Where the value at `path` begins in the text; for a key that the schema does not know, where the key begins. */
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

/** `rules[1].scores[" I"]: expected number, received string`. */
function describe(issue: z.core.$ZodIssue): string {
  const place = issue.path
    .map((part, depth) => {
      if (typeof part === "number") return `[${part}]`;
      if (/^[a-z_]+$/.test(String(part)) && issue.path[depth - 1] !== "scores")
        return `${depth === 0 ? "" : "."}${String(part)}`;
      return `[${JSON.stringify(part)}]`;
    })
    .join("");
  const message = issue.message.replace(/^Invalid input: /, "");
  return place === "" ? message : `${place}: ${message}`;
}
