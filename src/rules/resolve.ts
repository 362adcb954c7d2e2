/**
 * Turns a rule file into ids of one vocabulary, and says what became of every string in it.
 *
 * A string names the token that stands for exactly its bytes (`▁` and `Ġ` stand for a space, `<0x0A>` for a newline); it is
 * never encoded, because encoding depends on what comes before. An ordinary piece wins over a byte piece; special tokens
 * cannot be named. What is not one token is reported and ignored.
 * May not know: models, engines, files.
 */
import { UserError } from "../util/errors.js";
import { excerpt } from "../util/terminal.js";
import type { EosRamp, ResolvedRules, Rule, RuleSet, UsedScope } from "./rules.js";

/** What became of one string of a `token_scores` rule. */
export type TokenReport =
  | {
      readonly found: true;
      readonly string: string;
      readonly score: number;
      readonly id: number;
      /** As the vocabulary writes it. */
      readonly piece: string;
      /** Only a byte piece (`<0x0A>`) stands for it. */
      readonly byte: boolean;
      /** Other ordinary tokens that stand for the same bytes; they get no score. */
      readonly alternatives: readonly number[];
    }
  | { readonly found: false; readonly string: string; readonly score: number; readonly reason: string };

export interface RuleReport {
  readonly rule: Rule;
  readonly disabled: boolean;
  /** One entry per string, in the file's order; empty for the other kinds. */
  readonly tokens: readonly TokenReport[];
}

export interface Resolution {
  readonly resolved: ResolvedRules;
  readonly report: readonly RuleReport[];
}

/** What is asked of a tokenizer (`text/tokenizer.ts` says more). */
export interface Pieces {
  readonly vocabSize: number;
  encode(text: string, options: { readonly special: boolean; readonly continued: boolean }): readonly number[];
  piece(id: number): string | undefined;
  idOf(piece: string): number | undefined;
  bytes(id: number): Uint8Array | undefined;
  isSpecial(id: number): boolean;
}

export interface Vocabulary {
  readonly tokenizer: Pieces;
  readonly eosId: number;
}

/**
 * @param options.disabled  names of rules to leave out; their strings are reported all the same
 * @throws UserError  a disabled name is not a rule of the file
 */
export function resolveRules(
  rules: RuleSet,
  vocabulary: Vocabulary,
  options: { readonly disabled?: readonly string[] } = {},
): Resolution {
  const disabled = new Set(options.disabled);
  refuseUnknownNames(rules, disabled);
  const find = tokenFinder(rules, vocabulary.tokenizer);
  const report = rules.rules.map((rule): RuleReport => {
    const tokens = rule.kind === "token_scores" ? [...rule.scores].map(([string, score]) => find(string, score)) : [];
    return { rule, disabled: disabled.has(rule.name), tokens };
  });
  return { resolved: combine(report, vocabulary.eosId), report };
}

/** The strings of enabled rules that are not one token in this vocabulary. */
export function unresolvedStrings(report: readonly RuleReport[]): string[] {
  const missing = report
    .filter((rule) => !rule.disabled)
    .flatMap((rule) => rule.tokens.filter((token) => !token.found));
  return [...new Set(missing.map((token) => token.string))];
}

function refuseUnknownNames(rules: RuleSet, disabled: ReadonlySet<string>): void {
  const known = rules.rules.map((rule) => rule.name);
  for (const name of disabled) {
    if (known.includes(name)) continue;
    throw new UserError(`rules "${excerpt(rules.name)}" have no rule named "${excerpt(name)}" to disable`, {
      remedy: known.length === 0 ? "they have no rules at all" : `its rules are ${known.join(", ")}`,
    });
  }
}

/** Sums the enabled rules: constants by id, ramps by n, penalties by scope. */
function combine(report: readonly RuleReport[], eosId: number): ResolvedRules {
  const constant = new Map<number, number>();
  const ramps: EosRamp[] = [];
  const used = new Map<UsedScope, number>();
  for (const { rule, tokens } of report.filter((entry) => !entry.disabled)) {
    for (const token of tokens) if (token.found) constant.set(token.id, (constant.get(token.id) ?? 0) + token.score);
    if (rule.kind === "eos_ramp") ramps.push(rule);
    if (rule.kind === "used_tokens") used.set(rule.scope, (used.get(rule.scope) ?? 0) + rule.score);
  }
  return {
    eosId,
    constant,
    eosRamps: ramps.map(({ score, tokens, after }) => ({ score, tokens, after })),
    usedTokens: [...used].map(([scope, score]) => ({ scope, score })),
  };
}

type FindToken = (string: string, score: number) => TokenReport;

function tokenFinder(rules: RuleSet, tokenizer: Pieces): FindToken {
  const strings = rules.rules.flatMap((rule) => (rule.kind === "token_scores" ? [...rule.scores.keys()] : []));
  const known = tokensOf(strings, tokenizer);
  return (string, score) => {
    const { ordinary: ids, bytePiece } = known.get(string) ?? { ordinary: [], bytePiece: undefined };
    const id = preferred(ids, string, tokenizer) ?? bytePiece;
    if (id === undefined) return { found: false, string, score, reason: whyNotOneToken(string, tokenizer) };
    const alternatives = ids.filter((other) => other !== id);
    return { found: true, string, score, id, piece: tokenizer.piece(id) ?? "", byte: ids.length === 0, alternatives };
  };
}

/** The tokens that stand for exactly one string's bytes. */
interface TokensOfString {
  readonly ordinary: number[];
  bytePiece: number | undefined;
}

/** What was found in a tokenizer before: a conversation that switches rules on and off reads its vocabulary once. */
const foundBefore = new WeakMap<Pieces, Map<string, TokensOfString>>();

/** One pass over the vocabulary for all strings that were not looked for before. */
function tokensOf(strings: readonly string[], tokenizer: Pieces): ReadonlyMap<string, TokensOfString> {
  const known = foundBefore.get(tokenizer) ?? new Map<string, TokensOfString>();
  foundBefore.set(tokenizer, known);
  const wanted = new Map<string, TokensOfString>();
  const lengths = new Set<number>();
  for (const string of strings) {
    if (known.has(string)) continue;
    const bytes = Buffer.from(string, "utf8");
    const tokens: TokensOfString = wanted.get(keyOf(bytes)) ?? { ordinary: [], bytePiece: undefined };
    known.set(string, tokens);
    wanted.set(keyOf(bytes), tokens);
    lengths.add(bytes.length);
  }
  for (let id = 0; wanted.size > 0 && id < tokenizer.vocabSize; id++) {
    const bytes = tokenizer.isSpecial(id) ? undefined : tokenizer.bytes(id);
    if (bytes === undefined || !lengths.has(bytes.length)) continue;
    const tokens = wanted.get(keyOf(bytes));
    if (tokens === undefined) continue;
    if (isBytePiece(tokenizer.piece(id), bytes)) tokens.bytePiece = id;
    else tokens.ordinary.push(id);
  }
  return known;
}

const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** Whether the piece is a byte-fallback piece: `<0x0A>` that stands for the one byte 0x0A (and not for those six characters). */
function isBytePiece(piece: string | undefined, bytes: Uint8Array): boolean {
  const digits = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece ?? "")?.[1];
  return digits !== undefined && bytes.length === 1 && bytes[0] === Number.parseInt(digits, 16);
}

/**
 * The token to score among ordinary ones that stand for the same bytes. OLMo's vocabulary has two for three spaces, one of
 * which never comes out of encoding; the model has learnt the other.
 */
function preferred(ids: readonly number[], string: string, tokenizer: Pieces): number | undefined {
  if (ids.length < 2) return ids[0];
  const encoded = tokenizer.encode(string, { special: false, continued: true });
  const only = encoded.length === 1 ? encoded[0] : undefined;
  return only !== undefined && ids.includes(only) ? only : ids[0];
}

function whyNotOneToken(string: string, tokenizer: Pieces): string {
  const asPiece = tokenizer.idOf(string);
  if (asPiece !== undefined && tokenizer.isSpecial(asPiece)) return "a special token; rules name ordinary tokens only";
  if (asPiece !== undefined) return "a piece as the vocabulary writes it; rules name the text that it stands for";
  return "not one token in this vocabulary";
}
