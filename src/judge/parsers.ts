/**
 * The text of a reply as a verdict: the last one wins, and only what was offered counts.
 * May not know: which answer is the model's, where replies come from.
 */
import type { VerdictParser } from "../records/judge-file.js";

const WINS = { first: 1, second: 0, tie: 0.5 } as const;

/** 1 for the answer shown first, 0 for the second, 0.5 for a tie; undefined where the text holds no verdict. */
export function parseVerdict(text: string, parser: VerdictParser, markers: readonly string[]): number | undefined {
  if (parser === "markers") return lastOf(text, markers.map(standingAlone));
  if (parser === "ranking") return rankOf(text, markers[0] ?? "");
  if (parser === "scores") return scoresOf(text);
  const { first, second, tie } = parser;
  return lastOf(
    text,
    [first, second, ...(tie === undefined ? [] : [tie])].map((pattern) => new RegExp(pattern, "gu")),
  );
}

/** Patterns in the order first, second, tie. Where two end at the same place, the longer match wins. */
function lastOf(text: string, patterns: readonly RegExp[]): number | undefined {
  const values = [WINS.first, WINS.second, WINS.tie];
  let best: { readonly end: number; readonly start: number; readonly value: number } | undefined;
  for (const [i, pattern] of patterns.entries()) {
    for (const match of text.matchAll(pattern)) {
      const end = match.index + match[0].length;
      if (match[0] === "") continue;
      if (best === undefined || end > best.end || (end === best.end && match.index < best.start)) {
        best = { end, start: match.index, value: values[i] ?? WINS.tie };
      }
    }
  }
  return best?.value;
}

/** A marker as a word of its own: not the M in "Model", nor the m in "I'm". */
function standingAlone(marker: string): RegExp {
  const literal = marker.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const before = /^[\p{L}\p{N}_]/u.test(marker) ? "(?<![\\p{L}\\p{N}_]|[\\p{L}\\p{N}]['’])" : "";
  const after = /[\p{L}\p{N}_]$/u.test(marker) ? "(?![\\p{L}\\p{N}_]|['’][\\p{L}\\p{N}])" : "";
  return new RegExp(`${before}${literal}${after}`, "gu");
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
