/**
 * The rules of the adapter: what a rule file says, and what it becomes in one vocabulary.
 * Product of experts: p(w) ∝ p_model(w) · p_rules(w), p_rules the softmax of the summed scores (paper, section 6, eq. 4).
 * May not know: models, engines, files, training.
 */

/** Raises the stop token as the response grows: `score` × n / `tokens`, n the response tokens so far (0 at the first). */
export interface EosRamp {
  readonly name: string;
  readonly kind: "eos_ramp";
  /** Score in nats once `tokens` response tokens have been written. */
  readonly score: number;
  readonly tokens: number;
  /** From n = `tokens` on: keep growing (paper), hold `score`, or drop to zero (reference: a ramp for 0 < n < tokens only). */
  readonly after: "grow" | "hold" | "zero";
}

/** Adds fixed scores at every step to tokens named by the text they stand for. */
export interface TokenScores {
  readonly name: string;
  readonly kind: "token_scores";
  readonly scores: ReadonlyMap<string, number>;
}

/** Adds `score` once to every distinct token already in use. */
export interface UsedTokens {
  readonly name: string;
  readonly kind: "used_tokens";
  readonly score: number;
  readonly scope: UsedScope;
}

/** What counts as used: the response so far (paper), or everything after `BOS<|user|>\n` as well (reference). */
export type UsedScope = "response" | "conversation";

export type Rule = EosRamp | TokenScores | UsedTokens;

/** The content of a rule file. Names of rules are unique. */
export interface RuleSet {
  readonly version: 1;
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** Rules resolved to the ids of one vocabulary: all that a decoder needs. Scores in nats, summed over rules. */
export interface ResolvedRules {
  /** The id that ramps raise: the model's `eos_token`. */
  readonly eosId: number;
  /** Scores added at every step, by id. */
  readonly constant: ReadonlyMap<number, number>;
  /** They add up; none where no EOS rule is on. */
  readonly eosRamps: readonly Ramp[];
  /** Added once per distinct id in use; at most one entry per scope, none where no such rule is on. */
  readonly usedTokens: readonly UsedTokenScore[];
}

export type Ramp = Pick<EosRamp, "score" | "tokens" | "after">;

export interface UsedTokenScore {
  readonly score: number;
  readonly scope: UsedScope;
}

/** What all ramps add to the EOS after `n` response tokens. */
export const stopScore = ({ eosRamps }: Pick<ResolvedRules, "eosRamps">, n: number): number =>
  eosRamps.reduce((sum, ramp) => sum + rampScore(ramp, n), 0);

/** The ramp's score after `n` response tokens. */
export function rampScore(ramp: Ramp, n: number): number {
  if (n < ramp.tokens || ramp.after === "grow") return (ramp.score * n) / ramp.tokens;
  return ramp.after === "hold" ? ramp.score : 0;
}
