/**
 * The rows of scores that rules add to the logits, kept up to date with a few writes per token: the slow, obvious form is
 * `rules/row.ts`.
 * May not know: models, engines, files.
 */

import { type ResolvedRules, stopScore } from "../rules/rules.js";
import type { Device, Tensor } from "../runtime/device.js";
import { invariant } from "../util/errors.js";

/** What the rules make of one token at one step, in nats; their sum is what stands in the row. */
export interface ScoreParts {
  readonly constant: number;
  readonly stop: number;
  readonly used: number;
}

/** The state of one response under the rules. */
export interface RuleProgress {
  /** After that many response tokens. */
  readonly responseTokens: number;
  parts(id: number): ScoreParts;
  /** Counts one more response token; gives the ids whose score changed. */
  advance(id: number): readonly number[];
  /** Every id whose score may not be 0, the EOS among them. */
  scored(): Iterable<number>;
}

/** @param conversationIds ids in use from the start where a rule's scope is the conversation */
export function startRules(rules: ResolvedRules, conversationIds: readonly number[]): RuleProgress {
  const scopes = rules.usedTokens.map(({ score, scope }) => ({
    score,
    ids: new Set(scope === "conversation" ? conversationIds : []),
  }));
  let responseTokens = 0;
  return {
    get responseTokens() {
      return responseTokens;
    },
    parts: (id) => ({
      constant: rules.constant.get(id) ?? 0,
      stop: id === rules.eosId ? stopScore(rules, responseTokens) : 0,
      used: scopes.reduce((total, { score, ids }) => total + (ids.has(id) ? score : 0), 0),
    }),
    advance(id) {
      responseTokens++;
      for (const { ids } of scopes) ids.add(id);
      return [...(scopes.length > 0 ? [id] : []), ...(rules.eosRamps.length === 0 ? [] : [rules.eosId])];
    },
    scored: () => new Set([...rules.constant.keys(), ...scopes.flatMap(({ ids }) => [...ids]), rules.eosId]),
  };
}

/** `scores` [rows, V] on the device. */
export interface ScoreTable {
  readonly tensor: Tensor;
  /** Gives a row to a response from its first token on. */
  start(row: number, progress: RuleProgress): void;
  /** Writes the scores of these ids again. */
  update(row: number, progress: RuleProgress, ids: Iterable<number>): void;
}

export function createScoreTable(device: Device, rows: number, vocabSize: number): ScoreTable {
  const tensor = device.zeros([rows, vocabSize]);
  const update: ScoreTable["update"] = (row, progress, ids) => {
    for (const id of ids) {
      invariant(Number.isInteger(id) && id >= 0 && id < vocabSize, `id ${id} is outside a vocabulary of ${vocabSize}`);
      const { constant, stop, used } = progress.parts(id);
      device.write(tensor, row * vocabSize + id, [constant + used + stop]);
    }
  };
  return {
    tensor,
    update,
    start(row, progress) {
      device.fill(tensor, 0, row * vocabSize, vocabSize);
      update(row, progress, progress.scored());
    },
  };
}
