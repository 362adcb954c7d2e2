/**
 * A verdict weighed by log-probabilities: how likely the judge was to name each answer at the place where it names one.
 * May not know: texts of replies beyond where reasoning ends.
 */

import type { Reading, Verdict } from "./reading.js";
import { replySpans, withoutReasoning } from "./reasoning.js";
import type { Logprobs, Place, Reply } from "./reply.js";

const unparsed = (reason: string): Verdict => ({ outcome: "unparsed", reason });

/**
 * AlpacaEval 2's: P(first) / (P(first) + P(second)) among the likeliest tokens at one place; one that is missing counts as 0. Tokens that
 * are one marker but for white space add up; with `compat` only the marker's own text counts, and of two with one text the last.
 *
 * @see alpaca_eval, completion_parsers.py, `logprob_parser` with `is_binarize` false
 */
export function weightedVerdict(reply: Reply, { markers, position, compat }: Reading): Verdict {
  const { logprobs, finish } = reply;
  if (logprobs.kind !== "places") return unparsed(whyNone(logprobs));
  if (position === "last" && finish === "length")
    return { outcome: "truncated", reason: "cut off before its last token" };
  const { places } = logprobs;
  const end = position === "first" ? places.find(({ top }) => top.length > 0) : places.at(-1);
  const place =
    compat === undefined ? decidingPlace(reply, places, position) : (end ?? "no log-probabilities in the reply");
  if (typeof place === "string") {
    return finish === "length" ? { outcome: "truncated", reason: "cut off at the limit of tokens" } : unparsed(place);
  }
  if (place.top.length === 0) return unparsed("no top_logprobs at the token that decides");
  const weigh = compat === undefined ? added(markers) : exact;
  const [first, second, tie] = markers.map((marker) => weigh(place, marker));
  const share = shareOfFirst(first, second, tie);
  return Number.isNaN(share) ? unparsed("no marker among the likeliest tokens") : { outcome: "judged", first: share };
}

function whyNone(logprobs: Exclude<Logprobs, { kind: "places" }>): string {
  if (logprobs.kind === "wrong") return logprobs.reason;
  return logprobs.kind === "none"
    ? "no log-probabilities in the reply"
    : "no top_logprobs in the reply, only log-probabilities of its own tokens; write `verdict: sampled` if this server gives none";
}

/** The token that begins the reply behind any reasoning, or ends it; or why nobody can tell which it is. */
function decidingPlace(
  { text, reasoned }: Reply,
  places: readonly Place[],
  position: Reading["position"],
): Place | string {
  const joined = places.map(({ token }) => token).join("");
  const spans = replySpans(joined);
  if (spans === undefined) return "its reasoning never ends";
  const unmarked = spans.length === 1 && spans[0]?.start === 0;
  let from = spans.map((span) => firstVisible(joined, span)).find((at) => at !== undefined);
  if (reasoned && unmarked && joined.trim() !== text.trim()) {
    const said = withoutReasoning(text) ?? "";
    if (said === "" || !joined.trimEnd().endsWith(said))
      return "the log-probabilities do not say where the reasoning ends";
    from = joined.trimEnd().length - said.length;
  }
  if (!unmarked && from === undefined) return "nothing but reasoning in the reply";
  const at = position === "first" ? (from ?? 0) : joined.trimEnd().length - 1;
  return placeOf(places, at) ?? "no log-probabilities in the reply";
}

function firstVisible(
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): number | undefined {
  const at = text.slice(start, end).search(/\S/);
  return at < 0 ? undefined : start + at;
}

/** The place whose token has the character at `at`; where no token has a text, the first one. */
function placeOf(places: readonly Place[], at: number): Place | undefined {
  let end = 0;
  for (const place of places) {
    end += place.token.length;
    if (at < end) return place;
  }
  return places[0];
}

/** What OpenAI's servers send for a token that is as good as impossible. */
const IMPOSSIBLE = -9999;

// Beside white space itself: how SentencePiece and byte-level vocabularies write a space and a line end.
const blank = /^[\s▁ĠĊ]+|[\s▁ĠĊ]+$/gu;
const bare = (text: string): string => text.replace(blank, "");

/** Log of the sum of the probabilities of a marker's tokens. */
function added(markers: readonly string[]): (place: Place, marker: string) => number {
  const same = new Set(markers.map(bare)).size === markers.length ? bare : (text: string): string => text;
  return ({ top }, marker) => {
    const found = top.filter(([token, logprob]) => same(token) === same(marker) && logprob > IMPOSSIBLE);
    const highest = Math.max(...found.map(([, logprob]) => logprob));
    return highest + Math.log(found.reduce((sum, [, logprob]) => sum + Math.exp(logprob - highest), 0));
  };
}

const exact = ({ top }: Place, marker: string): number => new Map(top).get(marker) ?? Number.NEGATIVE_INFINITY;

/** Differences first, so that very small probabilities do not vanish. */
function shareOfFirst(first = -Infinity, second = -Infinity, tie = -Infinity): number {
  const highest = Math.max(first, second, tie);
  if (highest === -Infinity) return Number.NaN;
  const [a, b, t] = [first, second, tie].map((logprob) => Math.exp(logprob - highest)) as [number, number, number];
  return (a + t / 2) / (a + b + t);
}
