/**
 * What a run of generation will do, settled before any weight is read: prompts as ids, rules in this vocabulary, limits.
 * May not know: engines' insides, output files.
 */

import { basename, resolve } from "node:path";
import { newLoadReport } from "../data/load.js";
import { loadPrompts, promptsFrom } from "../data/prompts.js";
import type { OpenedModel } from "../engine/opened.js";
import type { GenerateRequest } from "../engine/requests.js";
import { checkTemperature } from "../engine/requests.js";
import { type generateOptions, MAX_NEW_TOKENS } from "../options/generate.js";
import type { Settled } from "../options/template.js";
import type { GenerateRun } from "../records/outputs.js";
import { loadRules } from "../rules/file.js";
import { resolveRules, unresolvedStrings } from "../rules/resolve.js";
import type { ResolvedRules } from "../rules/rules.js";
import { type RenderedPrompt, renderLaterPrompt, renderPrompt, renderRaw } from "../text/render.js";
import { templateText } from "../text/template.js";
import type { TextModel } from "../text/tokenizer.js";
import { present, UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { uniqueNames } from "../util/names.js";
import type { OptionsOf } from "../util/options.js";
import { option, words } from "../util/words.js";

export interface PromptInput {
  readonly id?: string;
  readonly instruction: string;
  /** Alpaca's: follows the instruction after a blank line. */
  readonly input?: string;
  /** AlpacaEval's `dataset`. */
  readonly dataset?: string;
}

export interface PlanOptions extends Omit<OptionsOf<typeof generateOptions>, "prompts"> {
  /** A file of prompts (AlpacaEval JSON, JSONL, CSV, Parquet, plain lines), a named data set `NAME:PATH`, or the prompts. */
  readonly prompts: string | readonly PromptInput[];
}

export type SettledPlan = Settled<typeof generateOptions, PlanOptions>;

export interface PlannedPrompt {
  readonly input: PromptInput & { readonly id: string };
  readonly request: GenerateRequest;
}

export interface GeneratePlan {
  readonly text: TextModel;
  readonly prompts: readonly PlannedPrompt[];
  readonly rules: { readonly resolved: ResolvedRules; readonly record: NonNullable<GenerateRun["rules"]> } | undefined;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly seed: number;
  readonly stopIds: readonly number[];
  readonly generator: string;
  /** Of the run record. */
  readonly described: Pick<GenerateRun, "prompts" | "template" | "trimmed" | "bos">;
}

/** @throws UserError  the first thing that is wrong with the prompts, the rules or the tokenizer */
export async function planGeneration(
  options: SettledPlan,
  { text, stopIds }: Pick<OpenedModel, "text" | "stopIds">,
): Promise<GeneratePlan> {
  checkTemperature(options.temperature);
  const rules = await planRules(options, text);
  const { inputs, notes } = await readPrompts(options);
  if (inputs.length === 0) throw new UserError("there are no prompts", { remedy: "give at least one" });
  const render = renderer(text, options);
  const ids = inputs.map((input, i) => input.id ?? `prompt_${i}`);
  const names = uniqueNames(ids);
  const prompts = inputs.map((input, i) => ({
    input: { ...input, id: present(ids[i], "id") },
    request: { id: present(names[i], "name"), ...render.first(input.instruction) },
  }));
  return {
    text,
    prompts,
    rules,
    maxNewTokens: mostTokens(options, rules),
    temperature: options.temperature,
    seed: options.seed,
    stopIds,
    generator: options.generator ?? defaultName(options, rules?.record.name),
    described: {
      prompts: {
        source: typeof options.prompts === "string" ? options.prompts : "given",
        count: prompts.length,
        ...(notes.length === 0 ? {} : { notes }),
        hash: sha256(prompts.map(({ input }) => JSON.stringify([input.id, input.instruction])).join("\n")),
      },
      template: options.raw ? null : templateText(options.template),
      trimmed: trims(options),
      bos: options.bos,
    },
  };
}

/** Of an answer. */
export function mostTokens({ maxNewTokens }: Pick<PlanOptions, "maxNewTokens">, rules: GeneratePlan["rules"]): number {
  const endless = rules !== undefined && rules.resolved.eosRamps.length === 0;
  return maxNewTokens ?? (endless ? MAX_NEW_TOKENS.rulesWithoutEos : MAX_NEW_TOKENS.default);
}

const trims = ({ raw, preset }: Pick<SettledPlan, "raw" | "preset">): boolean => !raw && preset !== "reference";

interface ReadPrompts {
  readonly inputs: readonly PromptInput[];
  /** What was counted in reading them. */
  readonly notes: { reason: string; count: number }[];
}

async function readPrompts({ prompts, limit }: SettledPlan): Promise<ReadPrompts> {
  if (typeof prompts !== "string") {
    return { inputs: promptsFrom(limit === undefined ? prompts : prompts.slice(0, limit)), notes: [] };
  }
  const inputs: PromptInput[] = [];
  const report = newLoadReport();
  const options = limit === undefined ? { report } : { report, limit };
  for await (const { id, instruction, dataset } of loadPrompts(prompts, options)) {
    inputs.push({ id, instruction, ...(dataset === undefined ? {} : { dataset }) });
  }
  return { inputs, notes: [...report.notes].map(([reason, { count }]) => ({ reason, count })) };
}

export interface PromptRenderer {
  first(instruction: string): RenderedPrompt;
  /** What follows a response and its EOS where the conversation continues. */
  later(instruction: string): readonly number[];
}

/** Instructions as ids. */
export function renderer(
  text: TextModel,
  options: Pick<SettledPlan, "template" | "raw" | "bos" | "preset">,
): PromptRenderer {
  const { template, bos } = options;
  const how = { bos, trim: trims(options) };
  if (options.raw) {
    return {
      first: (instruction) => renderRaw(text, instruction, how),
      later: (instruction) => renderRaw(text, instruction, { bos: "never" }).promptIds,
    };
  }
  return {
    first: (instruction) => renderPrompt(text, template, instruction, how),
    later: (instruction) => renderLaterPrompt(text, template, instruction, how),
  };
}

/** Rules in the vocabulary of the model, and what a record says of them. */
export async function planRules(
  options: Pick<SettledPlan, "rules" | "disableRules">,
  text: TextModel,
): Promise<GeneratePlan["rules"]> {
  const disabled = [...options.disableRules];
  if (options.rules === undefined) {
    if (disabled.length === 0) return undefined;
    throw new UserError(`there are no rules to leave "${disabled[0]}" out of`, {
      remedy: words`pass ${option("rules")} as well`,
    });
  }
  const { rules, hash } = await loadRules(options.rules);
  const { resolved, report } = resolveRules(rules, text, { disabled });
  return {
    resolved,
    record: { name: rules.name, path: options.rules, hash, disabled, unresolved: unresolvedStrings(report) },
  };
}

function defaultName({ model, disableRules }: SettledPlan, rules: string | undefined): string {
  const name = basename(resolve(model));
  return rules === undefined ? name : [`${name}+${rules}`, ...disableRules].join("-");
}
