/**
 * What calls cost: tokens estimated before, counted after, and money where there is a price.
 * May not know: where replies come from.
 */
import type { Price } from "../records/judge-file.js";

export interface Tokens {
  readonly input: number;
  readonly output: number;
}

const PER_TOKEN = 1e-6; // prices are per million

export const dollars = (tokens: Tokens, price: Price): number =>
  PER_TOKEN * (tokens.input * price.input + tokens.output * price.output);

/** About four bytes of English are a token in today's vocabularies; a chat message brings a few of its own. An estimate, and said to be. */
export const estimateTokens = (bytes: number, messages: number): number => Math.ceil(bytes / 4) + 4 * messages;

export interface Budget {
  /** Whether a call that will cost about this much may be made; then it is set aside until `settle` or `release`. */
  take(estimate: Tokens): boolean;
  /** A reply came. What it cost; undefined where the server does not say, and then the estimate stands. */
  settle(estimate: Tokens, actual: Tokens | undefined): void;
  /** No reply came, and nothing is paid. */
  release(estimate: Tokens): void;
  spent(): number;
}

/**
 * Stops before the limit is passed. Estimates grow by the factor by which replies so far have cost more than they were thought to.
 *
 * @param limit  dollars
 */
export function openBudget(limit: number, price: Price): Budget {
  let spent = 0;
  let aside = 0;
  let thought = 0;
  const factor = (): number => (thought > 0 ? Math.max(1, spent / thought) : 1);
  return {
    take(estimate) {
      const cost = dollars(estimate, price);
      if (spent + (aside + cost) * factor() > limit) return false;
      aside += cost;
      return true;
    },
    settle(estimate, actual) {
      const cost = dollars(estimate, price);
      aside -= cost;
      thought += cost;
      spent += actual === undefined ? cost : dollars(actual, price);
    },
    release(estimate) {
      aside -= dollars(estimate, price);
    },
    spent: () => spent,
  };
}
