/**
 * The slow, obvious form of the adapter: one full row of scores. It judges the decoder, which touches a few entries only.
 * May not know: models, engines, files.
 */
import { invariant } from "../util/errors.js";
import { type ResolvedRules, stopScore } from "./rules.js";

export interface RuleState {
  /** Response ids so far. */
  readonly responseIds: readonly number[];
  /** Ids after `BOS<|user|>\n` and before the response: in use from the start where a rule's scope is the conversation. */
  readonly conversationIds: readonly number[];
}

/** log p_rules up to a constant, `[V]`, nats: the sum of every rule's score for each token. */
export function scoresRow(rules: ResolvedRules, vocabSize: number, state: RuleState): Float32Array {
  const row = new Float64Array(vocabSize);
  const add = (id: number, score: number): void => {
    invariant(Number.isInteger(id) && id >= 0 && id < vocabSize, `id ${id} is outside a vocabulary of ${vocabSize}`);
    row[id] = (row[id] ?? 0) + score;
  };
  for (const [id, score] of rules.constant) add(id, score);
  for (const used of rules.usedTokens) {
    const ids = used.scope === "response" ? state.responseIds : [...state.conversationIds, ...state.responseIds];
    for (const id of new Set(ids)) add(id, used.score);
  }
  if (rules.eosRamps.length > 0) add(rules.eosId, stopScore(rules, state.responseIds.length));
  return Float32Array.from(row);
}
