/**
 * Reads a rule file (YAML, version 1). Every complaint names the file, the line and the column.
 * May not know: tokenizers, models, engines.
 */
import { z } from "zod";
import { sha256 } from "../util/files.js";
import { firstIssue } from "../util/schema.js";
import { shippedFile } from "../util/shipped.js";
import { openYaml, readSmallText } from "../util/yaml.js";
import type { RuleSet } from "./rules.js";

/** Rule files that come with the package, by name. */
export const shippedRules = ["paper", "reference"] as const;

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
  const { path } = shippedFile("rules", shippedRules, spec);
  const text = await readSmallText(path, "the rules", `pass ${shippedRules.join(", ")} or the path of a rule file`);
  return { rules: parseRules(text, path), path, hash: sha256(text), text };
}

const score = z.number().min(-LARGEST_SCORE).max(LARGEST_SCORE);
const name = z.string().min(1);
/** A lone surrogate stands for no bytes. */
const tokenString = z
  .string()
  .min(1)
  .refine((text) => !/\p{Surrogate}/u.test(text), "half a surrogate pair is not text");

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
  const yaml = openYaml(text, path, "`tacit rules show paper` prints a complete example", { stringKeys: true });
  const parsed = rulesSchema.safeParse(yaml.value);
  if (!parsed.success) {
    const { at, message } = firstIssue(parsed.error);
    throw yaml.errorAt(at, message);
  }
  const names = new Set<string>();
  for (const [index, { name: one }] of parsed.data.rules.entries()) {
    if (names.has(one)) throw yaml.errorAt(["rules", index, "name"], `two rules are named "${one}"; names must differ`);
    names.add(one);
  }
  return parsed.data;
}
