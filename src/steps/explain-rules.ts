/**
 * What a rule file becomes in a model's vocabulary, from the tokenizer alone.
 * May not know: weights, engines, how it is shown.
 */

import { explainOptions } from "../options/generate.js";
import { type LoadedRules, loadRules } from "../rules/file.js";
import { type Resolution, resolveRules, type TokenReport, unresolvedStrings } from "../rules/resolve.js";
import { rampScore } from "../rules/rules.js";
import { loadTextModel } from "../text/load.js";
import type { TextModel } from "../text/tokenizer.js";
import { type OptionsOf, withDefaults } from "../util/options.js";

export type ExplainOptions = OptionsOf<typeof explainOptions>;

/** Response lengths at which the EOS ramp is shown. */
export const SHOWN_LENGTHS = [0, 50, 250, 500];

export type ExplainedRule = { readonly name: string; readonly kind: string; readonly disabled: boolean } & (
  | { readonly tokens: readonly TokenReport[] }
  | { readonly score: number; readonly scope: string }
  | { readonly id: number; readonly examples: readonly { readonly n: number; readonly score: number }[] }
);

export interface RulesExplained {
  readonly model: string;
  readonly tokenizer_hash: string;
  /** Of the rule file. */
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly rules: readonly object[];
  readonly eos: { readonly id: number; readonly piece: string };
  readonly resolved: readonly ExplainedRule[];
  /** Strings that are not one token here, and are ignored. */
  readonly unresolved: readonly string[];
}

export interface ResolvedIn {
  readonly loaded: LoadedRules;
  readonly text: TextModel;
  readonly resolution: Resolution;
}

/** @throws UserError  no such model or rules, or a rule to leave out that is missing */
export async function resolveIn(options: ExplainOptions): Promise<ResolvedIn> {
  const { model, rules, disableRules } = withDefaults(explainOptions, options);
  const loaded = await loadRules(rules);
  const text = await loadTextModel(model);
  return { loaded, text, resolution: resolveRules(loaded.rules, text, { disabled: [...disableRules] }) };
}

/** Which token each string of a rule file names, and with what score. @throws UserError  as `resolveIn` */
export const explainRules = async (options: ExplainOptions): Promise<RulesExplained> =>
  explanationOf(options.model, await resolveIn(options));

export const explanationOf = (model: string, { loaded, text, resolution }: ResolvedIn): RulesExplained => ({
  model,
  tokenizer_hash: text.hash,
  ...fileSummary(loaded),
  eos: { id: text.eosId, piece: text.tokenizer.piece(text.eosId) ?? "" },
  resolved: resolvedSummary(resolution),
  unresolved: unresolvedStrings(resolution.report),
});

/** A rule file as a record. */
export const fileSummary = ({
  rules,
  path,
  hash,
}: LoadedRules): Pick<RulesExplained, "name" | "path" | "sha256" | "rules"> => ({
  name: rules.name,
  path,
  sha256: hash,
  rules: rules.rules.map((rule) =>
    rule.kind === "token_scores" ? { ...rule, scores: Object.fromEntries(rule.scores) } : rule,
  ),
});

function resolvedSummary({ report, resolved }: Resolution): ExplainedRule[] {
  return report.map(({ rule, disabled, tokens }) => {
    const common = { name: rule.name, kind: rule.kind, disabled };
    if (rule.kind === "token_scores") return { ...common, tokens };
    if (rule.kind === "used_tokens") return { ...common, score: rule.score, scope: rule.scope };
    return { ...common, id: resolved.eosId, examples: SHOWN_LENGTHS.map((n) => ({ n, score: rampScore(rule, n) })) };
  });
}
