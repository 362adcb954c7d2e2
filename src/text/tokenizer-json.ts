/**
 * Reads and checks the parts of a `tokenizer.json`: everything that we would not do exactly as the Rust core is refused
 * here, by name. The big tables are checked by hand: a schema library would take longer than encoding a data set.
 * May not know: encoding, templates, files.
 */
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { complaintOf } from "../util/schema.js";
import { excerpt } from "../util/terminal.js";
import type { AddedToken } from "./added-tokens.js";
import type { Merge } from "./merge-table.js";

/** A normalizer, pre-tokenizer, post-processor or decoder before it is understood. */
export interface Component {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const componentSchema = z.looseObject({ type: z.string() });
const addedTokenSchema = z.looseObject({
  id: z.number().int().nonnegative(),
  content: z.string(),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(true),
  special: z.boolean().default(false),
});
const fileSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).nullish(),
  normalizer: z.unknown().optional(),
  pre_tokenizer: z.unknown().optional(),
  post_processor: z.unknown().optional(),
  decoder: z.unknown().optional(),
  model: z.looseObject({ type: z.string().optional() }),
});
const modelSchema = z.looseObject({
  dropout: z.number().nullish(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().nullish(),
  byte_fallback: z.boolean().nullish(),
  ignore_merges: z.boolean().nullish(),
});

const wordPieceSchema = z.looseObject({
  unk_token: z.string().default("[UNK]"),
  continuing_subword_prefix: z.string().default("##"),
  max_input_chars_per_word: z.number().int().nonnegative().default(100),
});

const LARGEST_ID = 2 ** 24; // 16 million pieces; the largest vocabulary in use has 262,144

export interface BpeModel {
  readonly kind: "bpe";
  readonly merges: readonly Merge[];
  readonly unkToken: string | undefined;
  readonly fuseUnk: boolean;
  readonly byteFallback: boolean;
  readonly ignoreMerges: boolean;
}

export interface WordPieceModel {
  readonly kind: "wordpiece";
  readonly unkToken: string;
  readonly continuingPrefix: string;
  readonly longestWord: number;
}

export interface TokenizerFile {
  readonly vocab: ReadonlyMap<string, number>;
  readonly model: BpeModel | WordPieceModel;
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer: Component | undefined;
  readonly preTokenizer: Component | undefined;
  readonly postProcessor: Component | undefined;
  readonly decoder: Component | undefined;
}

/** The one line of every refusal in this folder that concerns the file. */
export function refuse(what: string, remedy?: string): never {
  throw new UserError(`tokenizer.json: ${what}`, remedy === undefined ? {} : { remedy });
}

/** A value of the file in a message. */
const shown = (value: unknown): string => excerpt(JSON.stringify(value) ?? "nothing");

/** Parses `value`, or refuses with the first complaint and where it is. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  return refuse(`${where}: ${complaintOf(result.error)}`);
}

export function componentFrom(value: unknown, where: string): Component | undefined {
  if (value === null || value === undefined) return undefined;
  const { type, ...fields } = parsed(componentSchema, value, where);
  return { type, fields };
}

/** The tokenizer of a `tokenizer.json`: a BPE or a WordPiece one. */
export function readTokenizerFile(json: unknown): TokenizerFile {
  const file = parsed(fileSchema, json, "file");
  const { vocab: rawVocab, merges, type: named, ...rest } = file.model;
  // Files from before 2020 name no model type; a vocabulary with merges is BPE.
  const type = named ?? (merges !== undefined ? "BPE" : "unnamed");
  if (type !== "BPE" && type !== "WordPiece") {
    refuse(`the model type ${type} is not supported`, "only BPE and WordPiece vocabularies are");
  }
  const vocab = readVocab(rawVocab);
  return {
    vocab,
    model: type === "BPE" ? readBpe(rest, merges, vocab) : readWordPiece(rest),
    addedTokens: readAddedTokens(file.added_tokens ?? [], vocab),
    normalizer: componentFrom(file.normalizer, "normalizer"),
    preTokenizer: componentFrom(file.pre_tokenizer, "pre_tokenizer"),
    postProcessor: componentFrom(file.post_processor, "post_processor"),
    decoder: componentFrom(file.decoder, "decoder"),
  };
}

/** Contents that are special by their own flag in the file. */
export const flaggedSpecial = (json: unknown): ReadonlySet<string> =>
  new Set(
    (parsed(fileSchema, json, "the file").added_tokens ?? []).flatMap(({ content, special }) =>
      special ? [content] : [],
    ),
  );

function readBpe(raw: unknown, merges: unknown, vocab: ReadonlyMap<string, number>): BpeModel {
  const model = parsed(modelSchema, raw, "model");
  if (model.dropout !== undefined && model.dropout !== null && model.dropout !== 0) {
    refuse(`model.dropout is ${model.dropout}: encoding would be random`, "set it to null");
  }
  for (const key of ["continuing_subword_prefix", "end_of_word_suffix"] as const) {
    if (model[key]) refuse(`model.${key} ${shown(model[key])} is not supported`);
  }
  return {
    kind: "bpe",
    merges: readMerges(merges, vocab),
    unkToken: model.unk_token ?? undefined,
    fuseUnk: model.fuse_unk ?? false,
    byteFallback: model.byte_fallback ?? false,
    ignoreMerges: model.ignore_merges ?? false,
  };
}

function readWordPiece(raw: unknown): WordPieceModel {
  const model = parsed(wordPieceSchema, raw, "model");
  return {
    kind: "wordpiece",
    unkToken: model.unk_token,
    continuingPrefix: model.continuing_subword_prefix,
    longestWord: model.max_input_chars_per_word,
  };
}

function readVocab(raw: unknown): Map<string, number> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) refuse("model.vocab is not an object");
  const vocab = new Map<string, number>();
  const taken = new Map<number, string>();
  for (const [piece, id] of Object.entries(raw)) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= LARGEST_ID) {
      refuse(`model.vocab: ${shown(piece)} has the id ${shown(id)}`);
    }
    const other = taken.get(id);
    if (other !== undefined) {
      refuse(`model.vocab: ${shown(other)} and ${shown(piece)} share the id ${id}`);
    }
    taken.set(id, piece);
    vocab.set(piece, id);
  }
  return vocab;
}

/** Merges are `"a b"` in older files and `["a", "b"]` in newer ones; their order is their rank. */
function readMerges(raw: unknown, vocab: ReadonlyMap<string, number>): Merge[] {
  if (!Array.isArray(raw)) refuse("model.merges is not a list");
  return raw.map((entry: unknown, rank) => {
    const parts: unknown[] = typeof entry === "string" ? entry.split(" ") : Array.isArray(entry) ? entry : [];
    const [a, b] = parts;
    if (parts.length !== 2 || typeof a !== "string" || typeof b !== "string") {
      refuse(`model.merges[${rank}] is not a pair: ${shown(entry)}`);
    }
    const left = vocab.get(a);
    const right = vocab.get(b);
    const product = vocab.get(a + b);
    if (left === undefined || right === undefined || product === undefined) {
      refuse(`model.merges[${rank}]: ${shown(entry)} names a piece that is not in the vocabulary`);
    }
    return { left, right, rank, product };
  });
}

/**
 * The Rust core does not read the ids of added tokens: one that the vocabulary holds gets its id there, any other the next
 * free number, and a disagreement is only logged. We refuse it instead, since nobody can know which ids the model was
 * trained with.
 */
function readAddedTokens(raw: readonly z.infer<typeof addedTokenSchema>[], vocab: ReadonlyMap<string, number>) {
  let next = vocab.size;
  return raw.map((token): AddedToken => {
    const id = vocab.get(token.content) ?? next++;
    if (id !== token.id || id >= LARGEST_ID) {
      refuse(`added token ${shown(token.content)} has the id ${token.id}, but its place is ${id}`);
    }
    return {
      id,
      content: token.content,
      singleWord: token.single_word,
      lstrip: token.lstrip,
      rstrip: token.rstrip,
      normalized: token.normalized,
      special: token.special,
    };
  });
}
