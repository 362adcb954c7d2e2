/** The fixtures of `python/fixtures` as typed values. Their scripts, versions and hashes stand in `origin.json` beside them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IGNORE, type Row } from "../../src/records/row.js";
import type { Rule, RuleSet } from "../../src/rules/rules.js";

export const modelsFolder = join(import.meta.dirname, "..", "fixtures", "models");
export const modelNames = [
  "llama",
  "llama-tied",
  "gemma3",
  "gpt2",
  "mistral",
  "olmo",
  "olmo2",
  "qwen2",
  "qwen3",
  "gpt-neox",
] as const;
export type ModelName = (typeof modelNames)[number];
export const modelFolder = (name: ModelName): string => join(modelsFolder, name);

export interface LabelledRow {
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
}
export type Reduction = "paper" | "reference" | "token";

export interface Expected {
  readonly forward: readonly {
    readonly input_ids: readonly number[];
    /** Of each id but the first. */
    readonly logprobs: readonly number[];
    /** `[T, V]`, of two rows only. */
    readonly logits?: readonly (readonly number[])[];
  }[];
  readonly loss: {
    readonly rows: readonly LabelledRow[];
    readonly losses: Readonly<Record<Reduction, number>>;
    readonly grad_norms: Readonly<Record<Reduction, number>>;
  };
  readonly greedy: readonly {
    readonly prompt_ids: readonly number[];
    /** Twenty, end tokens ignored. */
    readonly ids: readonly number[];
    /** What is left of `ids` where the end token stops. */
    readonly stopped: readonly number[];
    readonly stop: "eos" | "length";
    readonly min_margin: number;
  }[];
  readonly rules: RulesFixture;
}

export type FixtureRule =
  | {
      readonly name: string;
      readonly kind: "eos_ramp";
      readonly score: number;
      readonly tokens: number;
      readonly after: "grow" | "hold" | "zero";
    }
  | { readonly name: string; readonly kind: "token_scores"; readonly scores: Readonly<Record<string, number>> }
  | {
      readonly name: string;
      readonly kind: "used_tokens";
      readonly score: number;
      readonly scope: "response" | "conversation";
    };

export interface RulesFixture {
  readonly eos_id: number;
  readonly max_new_tokens: number;
  /** Of the strings that are one token. */
  readonly token_ids: Readonly<Record<string, number>>;
  readonly variants: Readonly<Record<string, readonly FixtureRule[]>>;
  readonly runs: readonly {
    readonly variant: string;
    readonly instruction: string;
    readonly prompt_ids: readonly number[];
    readonly conversation_ids: readonly number[];
    /** The end token not among them. */
    readonly ids: readonly number[];
    readonly stop: "eos" | "length";
    readonly min_margin: number;
    /** Per step, the end token's included. */
    readonly trace?: readonly {
      readonly id: number;
      readonly base_logprob: number;
      readonly logprob: number;
      readonly constant: number;
      readonly stop: number;
      readonly used: number;
    }[];
  }[];
}

export interface Training {
  readonly options: {
    readonly batch: number;
    readonly epochs: number;
    readonly lr: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
  };
  readonly rows: readonly LabelledRow[];
  readonly runs: readonly {
    readonly reduction: Reduction;
    readonly schedule: "cosine" | "linear" | "constant";
    readonly warmup: number;
    readonly clip: number | null;
    readonly steps: readonly { readonly loss: number; readonly lr: number; readonly grad_norm: number }[];
    readonly parameters: Readonly<Record<string, { readonly sum: number; readonly abs_sum: number }>>;
  }[];
}

export interface RenderingCase {
  readonly name: string;
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly content: string }[];
  readonly objective: "instruction" | "response";
  readonly user_tag?: string;
  readonly assistant_tag?: string;
  readonly max_length?: number;
  readonly row: LabelledRow & { readonly prompt_tokens: number; readonly merged: boolean; readonly cut: boolean };
}
export type Rendering = Readonly<
  Record<"bytes" | "pieces", { readonly eos_id: number; readonly cases: readonly RenderingCase[] }>
>;

const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(modelsFolder, ...path), "utf8"));

export const expectedOf = (name: ModelName): Expected => read(name, "expected.json") as Expected;
export const trainingOf = (name: ModelName): Training => read(name, "training.json") as Training;
export const rendering = (): Rendering => read("tokenizers", "rendering.json") as Rendering;

const ruleOf = (rule: FixtureRule): Rule =>
  rule.kind === "token_scores" ? { ...rule, scores: new Map(Object.entries(rule.scores)) } : rule;
/** The rules as a rule file would give them. */
export const ruleSetOf = (name: string, rules: readonly FixtureRule[]): RuleSet => ({
  version: 1,
  name,
  rules: rules.map(ruleOf),
});

/** A row as training takes it. */
export const rowOf = (row: LabelledRow, index: number): Row => ({
  id: `row ${index}`,
  inputIds: row.input_ids,
  labels: row.labels,
  promptTokens: row.labels.findIndex((label) => label !== IGNORE),
  merged: false,
  cut: false,
});

/** The largest |a - b|; NaN where lengths differ or a value is not finite, so that every comparison with it fails. */
export function largestDifference(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return Number.NaN;
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(found[i]! - wanted[i]!);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(difference)) return Number.NaN;
  }
  return largest;
}

/** |a - b| / |b|. */
export const relativeDifference = (found: number, wanted: number): number =>
  wanted === 0 ? Math.abs(found) : Math.abs(found - wanted) / Math.abs(wanted);
