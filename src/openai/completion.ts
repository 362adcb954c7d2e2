/**
 * The body of a completion, in whichever of the two shapes an OpenAI-compatible server sends it. Nothing in it is believed: what is not
 * of its type counts as not said, and a number that cannot be is told from one that is missing.
 * May not know: what a verdict is.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object and …/completions/object
 */

import type { Tokens } from "./cost.js";
import { type Fields, fieldsOf, isBrokenOff, isReasoningPart, reasoningFields, textOfContent } from "./parts.js";

/** A generated token and the likeliest ones at its place; two of them may have one text. */
export interface Place {
  readonly token: string;
  readonly top: readonly (readonly [token: string, logprob: number])[];
}

export type Logprobs =
  | { readonly kind: "places"; readonly places: readonly Place[] }
  /** The server sends none. */
  | { readonly kind: "none" }
  /** Those of the tokens themselves alone. */
  | { readonly kind: "no-top" }
  /** There is one that is no log-probability. */
  | { readonly kind: "wrong"; readonly reason: string };

export interface Completion {
  /** What was said, reasoning in tags included. */
  readonly text: string;
  /** The server put reasoning into a field of its own. */
  readonly reasoned: boolean;
  /** `stop`, `length`, `content_filter` …, as the server says. */
  readonly finish: string | undefined;
  readonly refusal: string | undefined;
  readonly logprobs: Logprobs;
  /** Undefined where the server does not say, or says what cannot be. */
  readonly usage: Tokens | undefined;
}

/** Tokens of one request. No model reads or writes as many. */
const MOST_TOKENS = 2 ** 24;

/** Above 0 by rounding, as servers that compute in 16 bits send it. */
const ROUNDING = 1e-3;

/** Undefined where the body is not a completion. */
export function readCompletion(body: unknown): Completion | undefined {
  const { choices } = fieldsOf(body) ?? {};
  if (!Array.isArray(choices)) return undefined;
  const choice = fieldsOf(choices[0]);
  if (isBrokenOff(choice?.finish_reason)) return undefined;
  const finish = typeof choice?.finish_reason === "string" ? choice.finish_reason : undefined;
  const message = fieldsOf(choice?.message);
  const said = message === undefined ? plainText(choice?.text, finish) : messageText(message);
  if (choice === undefined || said === undefined) return undefined;
  return { ...said, finish, logprobs: logprobsOf(choice.logprobs), usage: usageIn(body) };
}

type Said = Pick<Completion, "text" | "refusal" | "reasoned">;

/** A filter may leave out everything but the reason why. */
function plainText(text: unknown, finish: string | undefined): Said | undefined {
  if (typeof text === "string") return { text, refusal: undefined, reasoned: false };
  return finish !== undefined && isFilter(finish) ? { text: "", refusal: undefined, reasoned: false } : undefined;
}

function messageText(message: Fields): Said | undefined {
  const { content } = message;
  if (content !== undefined && content !== null && typeof content !== "string" && !Array.isArray(content))
    return undefined;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  const refusals = [message, ...parts]
    .map((part) => fieldsOf(part)?.refusal)
    .filter((text) => typeof text === "string" && text !== "");
  return {
    text: textOfContent(content),
    refusal: refusals[0] as string | undefined,
    reasoned: reasoningFields(message).length > 0 || parts.some(isReasoningPart),
  };
}

/** Why nothing was said, where that was meant: the model declined, or a filter stopped it. */
export function declinedIn({ refusal, finish }: Completion, who: string): string | undefined {
  if (refusal !== undefined) return `${who} declined`;
  return finish !== undefined && isFilter(finish) ? "stopped by the server's content filter" : undefined;
}

/** Whether a reply ended because a filter, and not the model, would have it so. */
const isFilter = (finish: string): boolean =>
  /content_?filter|safety|prohibited|blocklist|recitation|moderation|^sensitive|^refusal/i.test(finish);

/** Whether a reply ended because the limit of tokens, or the model's own length, would have it so: `length`, `MAX_TOKENS`, `model_length` … */
export const isCut = (finish: string | undefined): boolean =>
  finish !== undefined &&
  /^(?:\w*length(?:exceeded|limit|reached)?|max\w*tokens?(?:reached)?|\w*tokenlimit\w*|\w*contextwindow\w*|limit|truncated)$/.test(
    finish.toLowerCase().replace(/[^a-z]/g, ""),
  );

/** What a reply cost, as its body says; undefined where it says nothing, or what cannot be. */
export function usageIn(body: unknown): Tokens | undefined {
  const { usage, choices } = fieldsOf(body) ?? {};
  const { prompt_tokens: input, completion_tokens: written } = fieldsOf(usage) ?? {};
  const output = written ?? (choices === undefined ? 0 : undefined); // embeddings write nothing
  return isCount(input) && isCount(output) ? { input, output } : undefined;
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS;

function logprobsOf(value: unknown): Logprobs {
  const { content, tokens, token_logprobs: own, top_logprobs: top } = fieldsOf(value) ?? {};
  if (Array.isArray(content)) return placesOf(content.map(chatPlace));
  if (Array.isArray(top)) return placesOf(top.map((one, i) => plainPlace(Array.isArray(tokens) ? tokens[i] : "", one)));
  return { kind: Array.isArray(own) && own.length > 0 ? "no-top" : "none" };
}

type Entry = readonly [token: unknown, logprob: unknown];

function chatPlace(value: unknown): { readonly token: unknown; readonly top: readonly Entry[] } {
  const { token, top_logprobs: top } = fieldsOf(value) ?? {};
  const entries: readonly unknown[] = Array.isArray(top) ? top : [];
  return { token, top: entries.map((entry): Entry => [fieldsOf(entry)?.token, fieldsOf(entry)?.logprob]) };
}

/** The older API: one record {token: log-probability} a place. */
const plainPlace = (token: unknown, value: unknown): { readonly token: unknown; readonly top: readonly Entry[] } => ({
  token,
  top: Object.entries(fieldsOf(value) ?? {}),
});

function placesOf(found: readonly { readonly token: unknown; readonly top: readonly Entry[] }[]): Logprobs {
  if (found.length === 0) return { kind: "none" };
  const places: Place[] = [];
  for (const { token, top } of found) {
    const entries: (readonly [string, number])[] = [];
    for (const [text, logprob] of top) {
      if (typeof text !== "string") return { kind: "wrong", reason: "a token among the likeliest ones has no text" };
      const wrong = wrongLogprob(logprob);
      if (wrong !== undefined) return { kind: "wrong", reason: wrong };
      entries.push([text, logprob as number]);
    }
    places.push({ token: typeof token === "string" ? token : "", top: entries });
  }
  return places.every(({ top }) => top.length === 0) ? { kind: "no-top" } : { kind: "places", places };
}

function wrongLogprob(value: unknown): string | undefined {
  if (typeof value !== "number" || !Number.isFinite(value))
    return "a log-probability in the reply is not a finite number";
  return value > ROUNDING ? "a log-probability in the reply is above 0" : undefined;
}

/** Characters of a choice as JSON; one that is longer stays in the ledger alone. */
const LONGEST_CHOICE = 2 ** 18;

/** The choice itself, which AlpacaEval keeps as `raw_completion`; null where it is missing or too large to repeat. */
export function choiceOf(body: unknown): unknown {
  const { choices } = fieldsOf(body) ?? {};
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  return choice === undefined || JSON.stringify(choice).length > LONGEST_CHOICE ? null : choice;
}
