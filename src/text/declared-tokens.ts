/**
 * Tokens that stand beside `tokenizer.json`: in `added_tokens_decoder` and under names (`eos_token`) in `tokenizer_config.json`, and, where
 * that file has no `added_tokens_decoder`, in `added_tokens.json` and `special_tokens_map.json`. Read as Transformers 4 and 5 read them;
 * what they do is recorded in `test/fixtures/models/tokenizers/added-tokens.json`.
 * May not know: encoding, templates, where files lie.
 */
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { ADDED_TOKENS, SPECIAL_TOKENS_MAP, TOKENIZER, TOKENIZER_CONFIG } from "../util/model-files.js";
import { checked } from "../util/schema.js";
import { quoted, shorten } from "../util/terminal.js";
import type { AddedToken } from "./added-tokens.js";

/** The parsed files beside `tokenizer.json`; undefined where there is none. */
export interface FilesBeside {
  readonly config?: unknown;
  readonly specialTokensMap?: unknown;
  readonly addedTokens?: unknown;
}

export interface DeclaredTokens {
  /** `bos_token`, `eos_token` … */
  readonly named: Readonly<Partial<Record<NameOfToken, string>>>;
  /** Contents that are special whatever flag they have. */
  readonly special: ReadonlySet<string>;
  /** In the order of their ids. */
  readonly added: readonly AddedToken[];
  /** The file that `added` is from, and whether its flags hold over those of `tokenizer.json`; `special` is so where either says so. */
  readonly source: { readonly file: string; readonly decides: boolean };
}

const NAMES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"] as const;
export type NameOfToken = (typeof NAMES)[number];

const contentOf = z.union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)]);
const namesSchema = z.looseObject({
  ...(Object.fromEntries(NAMES.map((name) => [name, contentOf.nullish()])) as Record<
    NameOfToken,
    z.ZodOptional<z.ZodNullable<typeof contentOf>>
  >),
  additional_special_tokens: z.array(contentOf).nullish(),
});
const flagged = z.looseObject({
  content: z.string(),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
});
const decoderSchema = z.looseObject({
  added_tokens_decoder: z.record(z.string().regex(/^\d{1,9}$/), flagged).nullish(),
});
const CORRECT = "correct it there";
const encoderSchema = z.record(z.string(), z.number().int().nonnegative());

/** @throws UserError  a file is not laid out as Transformers writes it */
export function declaredTokens({ config, specialTokensMap, addedTokens }: FilesBeside): DeclaredTokens {
  const { added_tokens_decoder: decoder } = checked(decoderSchema, config ?? {}, TOKENIZER_CONFIG, CORRECT);
  const legacy = decoder === null || decoder === undefined;
  const inConfig = checked(namesSchema, config ?? {}, TOKENIZER_CONFIG, CORRECT);
  const inMap = legacy ? checked(namesSchema, specialTokensMap ?? {}, SPECIAL_TOKENS_MAP, CORRECT) : {};
  const all = { ...inConfig, ...withoutNull(inMap) };
  const named = Object.fromEntries(NAMES.flatMap((name) => (typeof all[name] === "string" ? [[name, all[name]]] : [])));
  const special = new Set([...Object.values(named), ...(all.additional_special_tokens ?? [])]);
  const added = legacy ? fromEncoder(addedTokens, special) : fromDecoder(decoder);
  return {
    named,
    special,
    added: added.sort((a, b) => a.id - b.id),
    source: legacy ? { file: ADDED_TOKENS, decides: false } : { file: TOKENIZER_CONFIG, decides: true },
  };
}

function fromDecoder(decoder: Readonly<Record<string, z.infer<typeof flagged>>>): AddedToken[] {
  return Object.entries(decoder).map(([id, { content, single_word, lstrip, rstrip, normalized, special }]) => ({
    ...{ id: Number(id), content, singleWord: single_word, lstrip, rstrip, special },
    normalized: normalized ?? !special,
  }));
}

function fromEncoder(encoder: unknown, named: ReadonlySet<string>): AddedToken[] {
  return Object.entries(checked(encoderSchema, encoder ?? {}, ADDED_TOKENS, CORRECT)).map(([content, id]) => {
    const special = named.has(content);
    return { id, content, singleWord: false, lstrip: false, rstrip: false, normalized: !special, special };
  });
}

const withoutNull = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && one !== undefined)) as Partial<T>;

/**
 * The added tokens of a tokenizer: those of `tokenizer.json` and the declared ones. Transformers does not read the ids beside
 * `tokenizer.json`: a token that is known keeps its id, any other gets the next free one. Where that is not the id that is written down,
 * nobody can know which one the model was trained with.
 *
 * @throws UserError  an id that disagrees
 */
export function mergedTokens(
  { vocab, addedTokens }: { readonly vocab: ReadonlyMap<string, number>; readonly addedTokens: readonly AddedToken[] },
  { added, source, special }: DeclaredTokens,
): readonly AddedToken[] {
  const tokens = new Map(addedTokens.map((token) => [token.content, token]));
  let next = addedTokens.reduce((most, { id }) => Math.max(most, id + 1), vocab.size);
  for (const token of added) {
    const own = tokens.get(token.content);
    const id = own?.id ?? vocab.get(token.content) ?? next;
    if (id !== token.id) throw disagreement(token, id, { vocab, addedTokens }, source.file);
    if (id === next) next += 1;
    if (own === undefined || source.decides) {
      tokens.set(token.content, { ...token, special: token.special || own?.special === true }); // once special stays special, as there
    }
  }
  return [...tokens.values()].map((token) => (special.has(token.content) ? { ...token, special: true } : token));
}

function disagreement(
  { content, id: written }: AddedToken,
  id: number,
  { vocab, addedTokens }: Parameters<typeof mergedTokens>[0],
  file: string,
): UserError {
  const holder = addedTokens.find((token) => token.id === written)?.content ?? pieceAt(vocab, written);
  const there = holder === undefined ? "" : `, where ${TOKENIZER} has ${inQuotes(holder)}`;
  return new UserError(
    `${file}: the token ${inQuotes(content)} has the id ${written}${there}; by ${TOKENIZER} it is ${id}`,
    {
      remedy: "take the tokenizer files that belong together, or correct the wrong one",
    },
  );
}

const inQuotes = (content: string): string => quoted(shorten(JSON.stringify(content), 80));

function pieceAt(vocab: ReadonlyMap<string, number>, wanted: number): string | undefined {
  for (const [piece, id] of vocab) if (id === wanted) return piece;
  return undefined;
}
