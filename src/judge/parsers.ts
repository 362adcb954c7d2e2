/**
 * The text of a reply, its reasoning cut off, as a verdict: only what was offered counts.
 * May not know: which answer is the model's, where replies come from.
 */
import type { VerdictParser } from "../records/judge-file.js";
import { markerNamed } from "./marker-reply.js";

const WINS = { first: 1, second: 0, tie: 0.5 } as const;
const inOrder = [WINS.first, WINS.second, WINS.tie] as const;

/** 1 for the answer shown first, 0 for the second, 0.5 for a tie; undefined where the text holds no verdict, `several` where it holds two. */
export function parseVerdict(
  text: string,
  parser: VerdictParser,
  markers: readonly string[],
  compat?: "alpaca_eval",
): number | "several" | undefined {
  if (parser === "markers") {
    const named = markerNamed(text, markers);
    return named.kind === "marker" ? inOrder[named.index] : named.kind === "several" ? "several" : undefined;
  }
  if (parser === "ranking") return rankOf(text, markers[0] ?? "");
  if (parser === "scores") return scoresOf(text);
  const { first, second, tie } = parser;
  const patterns = [first, second, ...(tie === undefined ? [] : [tie])].map((pattern) => new RegExp(pattern, "gu"));
  return compat === undefined ? lastOf(text, patterns) : onlyOf(text, patterns);
}

/**
 * AlpacaEval's: the verdict where the patterns match once in all.
 *
 * @see alpaca_eval, completion_parsers.py, `regex_parser`
 */
function onlyOf(text: string, patterns: readonly RegExp[]): number | "several" | undefined {
  const found = patterns.flatMap((pattern, i) => [...text.matchAll(pattern)].map(() => inOrder[i]));
  return found.length > 1 ? "several" : found[0];
}

/** Patterns in the order first, second, tie. Where two end at the same place, the longer match wins. */
function lastOf(text: string, patterns: readonly RegExp[]): number | undefined {
  let best: { readonly end: number; readonly start: number; readonly value: number } | undefined;
  for (const [i, pattern] of patterns.entries()) {
    for (const match of text.matchAll(pattern)) {
      const end = match.index + match[0].length;
      if (match[0] === "") continue;
      if (best === undefined || end > best.end || (end === best.end && match.index < best.start)) {
        best = { end, start: match.index, value: inOrder[i] ?? WINS.tie };
      }
    }
  }
  return best?.value;
}

/**
 * AlpacaEval's list `[{'model': 'model_1', 'rank': 1}, …]`: the rank that the last entry of the first model has.
 *
 * @see alpaca_eval, completion_parsers.py, `ranking_parser`
 */
function rankOf(text: string, firstName: string): number | undefined {
  let rank: string | undefined;
  for (const [entry] of text.matchAll(/\{[^{}]{0,400}\}/g)) {
    const model = /["']model["']\s*:\s*["']([^"']*)["']/.exec(entry)?.[1];
    const found = /["']rank["']\s*:\s*["']?(\d+)/.exec(entry)?.[1];
    if (model === firstName && found !== undefined) rank = found;
  }
  return rank === "1" ? WINS.first : rank === "2" ? WINS.second : undefined;
}

/** Two numbers alone in the first line, the higher score wins (`lmsys_parser`). */
function scoresOf(text: string): number | undefined {
  const [, a, b] = /^\s*(\d+(?:\.\d+)?)(?:\s*,\s*|\s+)(\d+(?:\.\d+)?)\s*$/.exec(text.split("\n")[0] ?? "") ?? [];
  if (a === undefined || b === undefined) return undefined;
  return Number(a) > Number(b) ? WINS.first : Number(a) < Number(b) ? WINS.second : WINS.tie;
}
