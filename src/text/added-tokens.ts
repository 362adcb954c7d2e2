/**
 * Finds added tokens (control tokens, runs of spaces) in running text before the model sees it, as the Rust core does:
 * leftmost, then longest; whole words where asked; taking neighbouring white space with them where asked.
 * May not know: merges, templates, files.
 * Source: huggingface/tokenizers, `tokenizer/added_vocabulary.rs` (find_matches).
 */
import { isWhiteSpace, isWordCharacter } from "./unicode.js";

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly singleWord: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in normalized text, in its own normalized form. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A stretch of text between added tokens, or one of them. */
export type Section = { readonly text: string; readonly start: number } | { readonly id: number };

interface TrieNode {
  readonly next: Map<number, TrieNode>;
  token: AddedToken | undefined;
}

/** Splits a text at the given tokens, each looked for in the form that `formOf` gives. */
export type Splitter = (text: string, skipSpecial: boolean) => Section[];

export function addedTokenSplitter(
  tokens: readonly AddedToken[],
  formOf: (token: AddedToken) => string = (token) => token.content,
): Splitter {
  const root: TrieNode = { next: new Map(), token: undefined };
  const begins = new Uint8Array(0x10000); // which UTF-16 units begin a token: most do not, and cost one read
  for (const token of tokens) {
    const form = formOf(token);
    if (form.length === 0) continue;
    begins[form.charCodeAt(0)] = 1;
    let node = root;
    for (let i = 0; i < form.length; i++) {
      const unit = form.charCodeAt(i);
      const child = node.next.get(unit) ?? { next: new Map(), token: undefined };
      node.next.set(unit, child);
      node = child;
    }
    node.token = token;
  }
  return (text, skipSpecial) => splitAt(text, matchesIn(text, root, begins), skipSpecial);
}

interface Match {
  readonly token: AddedToken;
  readonly start: number;
  readonly end: number;
}

function* matchesIn(text: string, root: TrieNode, begins: Uint8Array): Generator<Match> {
  for (let i = 0; i < text.length; ) {
    const match = begins[text.charCodeAt(i)] === 1 ? longestAt(text, i, root) : undefined;
    if (match !== undefined) yield match;
    i = match === undefined ? i + 1 : match.end;
  }
}

function longestAt(text: string, start: number, root: TrieNode): Match | undefined {
  let node: TrieNode | undefined = root;
  let best: Match | undefined;
  for (let i = start; i < text.length; i++) {
    node = node.next.get(text.charCodeAt(i));
    if (node === undefined) break;
    if (node.token !== undefined) best = { token: node.token, start, end: i + 1 };
  }
  return best;
}

function splitAt(text: string, matches: Iterable<Match>, skipSpecial: boolean): Section[] {
  const sections: Section[] = [];
  let done = 0;
  for (const { token, start, end } of matches) {
    if (skipSpecial && token.special) continue; // stays ordinary text
    if (token.singleWord && !standsAlone(text, start, end)) continue;
    const from = token.lstrip ? Math.max(leftOfSpace(text, start), done) : start;
    const to = token.rstrip ? rightOfSpace(text, end) : end;
    if (done < from) sections.push({ text: text.slice(done, from), start: done });
    sections.push({ id: token.id });
    done = to;
  }
  if (done < text.length) sections.push({ text: text.slice(done), start: done });
  return sections;
}

function standsAlone(text: string, start: number, end: number): boolean {
  const before = start === 0 ? undefined : lastCharacter(text.slice(Math.max(0, start - 2), start));
  const after = end === text.length ? undefined : String.fromCodePoint(text.codePointAt(end) ?? 0);
  return !(before !== undefined && isWordCharacter(before)) && !(after !== undefined && isWordCharacter(after));
}

const lastCharacter = (text: string): string | undefined => [...text].at(-1);

function leftOfSpace(text: string, end: number): number {
  let start = end;
  while (start > 0 && isWhiteSpace(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

function rightOfSpace(text: string, start: number): number {
  let end = start;
  while (end < text.length && isWhiteSpace(text.charCodeAt(end))) end += 1;
  return end;
}
