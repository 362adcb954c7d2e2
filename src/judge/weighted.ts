/**
 * A verdict weighed by log-probabilities: how likely the judge was to name each answer at the place where it names one.
 * May not know: texts of replies beyond where reasoning ends.
 */

import { type Completion, isCut, type Logprobs, type Place } from "../openai/completion.js";
import { isOneMarker, markerNamed } from "./marker-reply.js";
import type { Reading, Verdict } from "./reading.js";
import { visibleTokens, written } from "./visible-tokens.js";

const unparsed = (reason: string): Verdict => ({ outcome: "unparsed", reason });

/**
 * AlpacaEval 2's: P(first) / (P(first) + P(second)) among the likeliest tokens at one place; one that is missing counts as 0. The place
 * is that of the marker which the grammar of replies finds; a reply of a single token is that token. Tokens that are one marker but for
 * white space add up. With `compat` the place is the first or the last whatever is said, only the marker's own text counts, and of two
 * with one text the last.
 *
 * @see alpaca_eval, completion_parsers.py, `logprob_parser` with `is_binarize` false
 */
export function weightedVerdict(reply: Completion, { markers, position, compat }: Reading): Verdict {
  const { logprobs, finish } = reply;
  if (logprobs.kind !== "places") return unparsed(whyNone(logprobs));
  if (position === "last" && isCut(finish)) return { outcome: "truncated", reason: "cut off before its last token" };
  const { places } = logprobs;
  const decides =
    compat === undefined ? decidingPlace(reply, places, markers, position) : officialPlace(places, position);
  if (typeof decides === "string") {
    return isCut(finish) ? { outcome: "truncated", reason: "cut off at the limit of tokens" } : unparsed(decides);
  }
  const { place, before, after } = decides;
  if (place.top.length === 0) return unparsed("no top_logprobs at the token that decides");
  const weigh = compat === undefined ? added(markers, before, after) : exact;
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

/** A token, and what it holds beside the marker: a quotation mark, a bracket. */
interface Decides {
  readonly place: Place;
  readonly before: string;
  readonly after: string;
}

function officialPlace(places: readonly Place[], position: Reading["position"]): Decides | string {
  const place = position === "first" ? places.find(({ top }) => top.length > 0) : places.at(-1);
  return place === undefined ? "no log-probabilities in the reply" : { place, before: "", after: "" };
}

/** The token that names the marker; or why there is none. */
function decidingPlace(
  reply: Completion,
  places: readonly Place[],
  markers: readonly string[],
  position: Reading["position"],
): Decides | string {
  const [only] = places;
  // Servers of the older API may leave its text out.
  const known = places.length === 1 && only?.token === "" ? [{ ...only, token: reply.text }] : places;
  const visible = visibleTokens(reply, known);
  if (typeof visible === "string") return visible;
  const { text, placeAt } = visible;
  if (only !== undefined && places.length === 1) return { place: only, ...decoration(known[0]?.token ?? "", markers) };
  if (isCut(reply.finish) && !isOneMarker(text.trim(), markers)) return "cut off at the limit of tokens";
  const named = markerNamed(text, markers);
  if (named.kind === "several") return "several verdicts in the reply";
  if (named.kind === "none") return "no verdict that was offered";
  const found = placeAt(position === "first" ? named.first : named.last);
  if (found === undefined) return "no log-probabilities in the reply";
  const own = written(found.place.token);
  const at = (position === "first" ? named.first : named.last) - found.start;
  const marker = (markers[named.index] ?? "").trim();
  return { place: found.place, before: own.slice(0, at), after: own.slice(at + marker.length) };
}

/** Of a reply that is one token. */
function decoration(token: string, markers: readonly string[]): { readonly before: string; readonly after: string } {
  const said = written(token);
  const named = markerNamed(said, markers);
  if (named.kind !== "marker") return { before: "", after: "" };
  const marker = (markers[named.index] ?? "").trim();
  return { before: said.slice(0, named.first), after: said.slice(named.first + marker.length) };
}

/** What OpenAI's servers send for a token that is as good as impossible. */
const IMPOSSIBLE = -9999;

const bare = (text: string): string => written(text).trim();

/** Log of the sum of the probabilities of a marker's tokens: alone, or with what the token that was sampled has beside it. */
function added(markers: readonly string[], before: string, after: string): (place: Place, marker: string) => number {
  const apart = new Set(markers.map(bare)).size === markers.length;
  const same = apart ? bare : (text: string): string => text;
  return ({ top }, marker) => {
    const forms = new Set([same(marker), ...(apart ? [bare(before + marker.trim() + after)] : [])]);
    const found = top.filter(([token, logprob]) => forms.has(same(token)) && logprob > IMPOSSIBLE);
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
