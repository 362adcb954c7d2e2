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
  if (parser === "ranking") return compat === undefined ? onlyRankOf(text, markers) : rankOf(text, markers[0] ?? "");
  if (parser === "scores") return scoresOf(text);
  const { first, second, tie } = parser;
  const patterns = [first, second, ...(tie === undefined ? [] : [tie])].map((pattern) => new RegExp(pattern, "gu"));
  return compat === undefined ? agreedOf(text, patterns) : onlyOf(text, patterns);
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

/** Patterns in the order first, second, tie: what all matches say. One that lies in a longer one does not count: `A` in `A and B tie`. */
function agreedOf(text: string, patterns: readonly RegExp[]): number | "several" | undefined {
  const matches = patterns.flatMap((pattern, i) =>
    [...text.matchAll(pattern)]
      .filter(([matched]) => matched !== "")
      .map(({ 0: matched, index: start }) => ({ start, end: start + matched.length, value: inOrder[i] ?? WINS.tie })),
  );
  matches.sort((a, b) => a.start - b.start || b.end - a.end);
  const said = new Set<number>();
  let outer: (typeof matches)[number] | undefined;
  for (const match of matches) {
    const sameSpan = outer?.start === match.start && outer.end === match.end;
    if (outer !== undefined && match.end <= outer.end && !sameSpan) continue;
    outer = match;
    said.add(match.value);
  }
  return agreed(said);
}

function agreed(said: ReadonlySet<number>): number | "several" | undefined {
  const [value, other] = said;
  return other === undefined ? value : "several";
}

/** AlpacaEval's list `[{'model': 'model_1', 'rank': 1}, …]`, each of whose entries says the same. */
function onlyRankOf(
  text: string,
  [firstName = "", secondName = ""]: readonly string[],
): number | "several" | undefined {
  const said = new Set<number>();
  for (const { model, rank } of rankingIn(text)) {
    if ((rank !== 1 && rank !== 2) || (model !== firstName && model !== secondName)) continue;
    said.add((rank === 1) === (model === firstName) ? WINS.first : WINS.second);
  }
  return agreed(said);
}

/**
 * AlpacaEval's: the rank that the last entry of the first model has.
 *
 * @see alpaca_eval, completion_parsers.py, `ranking_parser`
 */
function rankOf(text: string, firstName: string): number | undefined {
  const rank = [...rankingIn(text)].filter(({ model }) => model === firstName).at(-1)?.rank;
  return rank === 1 ? WINS.first : rank === 2 ? WINS.second : undefined;
}

function* rankingIn(text: string): Generator<{ readonly model: string; readonly rank: number }> {
  for (const [entry] of text.matchAll(/\{[^{}]{0,400}\}/g)) {
    const model = /["']model["']\s*:\s*["']([^"']*)["']/.exec(entry)?.[1];
    const rank = /["']rank["']\s*:\s*["']?(\d+)/.exec(entry)?.[1];
    if (model !== undefined && rank !== undefined) yield { model, rank: Number(rank) };
  }
}

/** Two numbers alone in the first line, the higher score wins (`lmsys_parser`). */
function scoresOf(text: string): number | undefined {
  const [, a, b] = /^\s*(\d+(?:\.\d+)?)(?:\s*,\s*|\s+)(\d+(?:\.\d+)?)\s*$/.exec(text.split("\n")[0] ?? "") ?? [];
  if (a === undefined || b === undefined) return undefined;
  return Number(a) > Number(b) ? WINS.first : Number(a) < Number(b) ? WINS.second : WINS.tie;
}
