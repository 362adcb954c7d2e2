/**
 * Where among the tokens of a reply its text stands: behind reasoning that only the tokens have, before the tokens that end it.
 * May not know: verdicts, markers.
 */
import type { Completion, Place } from "../openai/completion.js";
import { replySpans, withoutReasoning } from "../openai/reasoning.js";

/** What was said, as the tokens have it, with blank lines in place of reasoning inside it; and the token of each of its characters. */
export interface VisibleTokens {
  readonly text: string;
  /** The token that a character belongs to, and where in the text it begins. */
  placeAt(at: number): { readonly place: Place; readonly start: number } | undefined;
}

/** @returns or why nobody can tell what of the tokens was said */
export function visibleTokens({ text, reasoned }: Completion, places: readonly Place[]): VisibleTokens | string {
  const tokens = places.map(({ token }) => written(token));
  const joined = tokens.join("");
  const said = withoutReasoning(text);
  const spans = replySpans(joined);
  if (said === undefined || spans === undefined) return "its reasoning never ends";
  if (said === "") return reasoned || text.trim() !== "" ? "nothing but reasoning in the reply" : "the reply is empty";
  const found = alignment(tokens, joined, written(said));
  if (found === undefined) return "the tokens of the log-probabilities are not the reply's text";
  let visible = "";
  for (const { start, end } of spans) {
    const [from, to] = [Math.max(start, found.start), Math.min(end, found.end)];
    if (from < to) visible += blank(from - found.start - visible.length) + joined.slice(from, to);
  }
  const ends = endsOf(tokens);
  return {
    text: visible,
    placeAt(at) {
      const i = ends.findIndex((end) => found.start + at < end);
      const place = places[i];
      return place === undefined ? undefined : { place, start: (ends[i - 1] ?? 0) - found.start };
    },
  };
}

/** A line of its own, in place of whatever is not part of the reply. */
const blank = (length: number): string => (length < 2 ? "\n".repeat(length) : `\n${" ".repeat(length - 2)}\n`);

function endsOf(tokens: readonly string[]): number[] {
  let end = 0;
  return tokens.map((token) => {
    end += token.length;
    return end;
  });
}

/** How SentencePiece and byte-level vocabularies write a space and a line end, as text of the same length. */
export const written = (token: string): string => token.replace(/[▁Ġ]/g, " ").replaceAll("Ċ", "\n");

/** `</s>`, `<|im_end|>`, `<end_of_turn>`, `[EOS]`, and white space. */
const ending = /^(?:<[^<>\s]{1,60}>|\[[A-Z_/]{2,20}\])?$/;

interface Part {
  readonly start: number;
  readonly end: number;
}

/** The end of the tokens that says what was said. Behind it there may be tokens that end a reply, or one that is a stop sequence. */
function alignment(tokens: readonly string[], joined: string, said: string): Part | undefined {
  let end = joined.length;
  for (let left = tokens.length; left > 0; left--) {
    const token = tokens[left - 1] ?? "";
    const last = token.trim();
    // White space at the end is passed over anyway; looking again before each of it would take long.
    const start = last === "" ? undefined : startOf(joined, end, said);
    if (start !== undefined) return { start, end };
    end -= token.length;
    if (ending.test(last)) continue;
    const whole = startOf(joined, end, said);
    return whole !== undefined && joined.slice(0, whole).trim() === "" ? { start: whole, end } : undefined;
  }
  return undefined;
}

/** Where a text begins that ends at `end`, but for white space; undefined where it does not. */
function startOf(joined: string, end: number, said: string): number | undefined {
  let at = end;
  for (let i = said.length - 1; i >= 0; i--) {
    const c = said[i] ?? "";
    if (/\s/.test(c)) continue;
    while (at > 0 && /\s/.test(joined[at - 1] ?? "")) at--;
    if (joined[at - 1] !== c) return undefined;
    at--;
  }
  return at;
}
