/**
 * `tokenizer.json` and `tokenizer_config.json` out of a GGUF vocabulary. Two kinds are read: `gpt2` (byte-level BPE, merges
 * in the file, the split named by `tokenizer.ggml.pre`) and `llama` (SentencePiece BPE with byte fallback, merges recovered
 * from the vocabulary as Transformers' `generate_merges` does).
 * May not know: weights, files.
 */
import { addedToken, bpeModel, startWith } from "../records/tokenizer-json.js";
import { UserError } from "../util/errors.js";
import type { GgufMetadata } from "./gguf.js";

export interface GgufTokenizer {
  /** tokenizer.json */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** tokenizer_config.json */
  readonly config: Readonly<Record<string, unknown>>;
}

/** `enum llama_token_type`. */
const TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Vocabulary {
  /** As tokenizer.json spells them; undefined for ids that no text and no model uses. */
  readonly tokens: readonly (string | undefined)[];
  readonly types: ArrayLike<number>;
  readonly ids: ReadonlyMap<string, number>;
}

/**
 * @param rows  of the embedding: no id may lie beyond
 * @throws UserError  a kind or split that is not read, ids out of range, tokens twice
 */
export function ggufTokenizer(architecture: string, metadata: GgufMetadata, rows: number, file: string): GgufTokenizer {
  const kind = metadata.string("tokenizer.ggml.model");
  if (kind !== "gpt2" && kind !== "llama") {
    throw new UserError(`${file}: tokenizer kind "${kind}" is not supported`, { remedy: "use a model with BPE" });
  }
  const gemma = architecture.startsWith("gemma");
  const vocabulary = readVocabulary(metadata, rows, kind === "llama" && gemma, file);
  const addBos = metadata.boolean("tokenizer.ggml.add_bos_token", kind === "llama");
  const pieces =
    kind === "gpt2" ? byteLevel(metadata, vocabulary, file) : sentencePiece(metadata, vocabulary, gemma, file);
  const bosId = metadata.optionalNumber("tokenizer.ggml.bos_token_id");
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    ...pieces,
    post_processor: addBos ? beginWith(vocabulary, bosId, file) : null,
  };
  return { tokenizer, config: tokenizerConfig(metadata, vocabulary, file) };
}

function readVocabulary(metadata: GgufMetadata, rows: number, respell: boolean, file: string): Vocabulary {
  const raw = metadata.strings("tokenizer.ggml.tokens");
  if (raw.length > rows) throw new UserError(`${file}: ${raw.length} tokens, but the embedding has ${rows} rows`);
  const types = metadata.has("tokenizer.ggml.token_type")
    ? metadata.numbers("tokenizer.ggml.token_type")
    : new Float64Array(raw.length).fill(TYPE.normal);
  if (types.length !== raw.length)
    throw new UserError(`${file}: ${raw.length} tokens, but ${types.length} token types`);
  const ids = new Map<string, number>();
  const tokens = raw.map((token, id) => {
    if (types[id] === TYPE.unused) return undefined; // llama.cpp fills holes with [PAD…]
    const spelled = respell && /^ +$/u.test(token) ? "▁".repeat(token.length) : token; // Gemma's runs of spaces
    const before = ids.get(spelled);
    if (before !== undefined) throw new UserError(`${file}: tokens ${before} and ${id} are both "${spelled}"`);
    ids.set(spelled, id);
    return spelled;
  });
  return { tokens, types, ids };
}

/** Control tokens are special; user-defined ones are matched whole in the text as well, but are ordinary output. */
function addedTokens({ tokens, types }: Vocabulary): Record<string, unknown>[] {
  const added: Record<string, unknown>[] = [];
  for (const [id, content] of tokens.entries()) {
    const type = types[id];
    // Runs of spaces are found by merging, after spaces have become "▁"; matching them in the raw text would be too early.
    const listed =
      type === TYPE.control || type === TYPE.unknown || (type === TYPE.userDefined && !/^▁+$/u.test(content ?? ""));
    if (content === undefined || content === "" || !listed) continue;
    const special = type !== TYPE.userDefined;
    added.push(addedToken(id, content, special));
  }
  return added;
}

type Pieces = Readonly<Record<"normalizer" | "pre_tokenizer" | "decoder" | "model", unknown>>;

const LLAMA3_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const DIGITS_THEN_GPT2 = { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, BYTE_LEVEL] };
const LLAMA3 = splitThenBytes(LLAMA3_SPLIT);
const NFC = { type: "NFC" };

function splitThenBytes(pattern: string) {
  return {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
      { ...BYTE_LEVEL, use_regex: false },
    ],
  };
}

/** Llama 3's, but each digit by itself. */
const QWEN2 = splitThenBytes(LLAMA3_SPLIT.replace("\\p{N}{1,3}", "\\p{N}"));

interface Split {
  readonly preTokenizer: unknown;
  readonly ignoreMerges: boolean;
  readonly normalizer: unknown;
}

/** The split that each `tokenizer.ggml.pre` stands for (llama.cpp `llama-vocab.cpp`, `llm_tokenizer_bpe`). */
const SPLITS: ReadonlyMap<string, Split> = new Map([
  ...["gpt-2", "mpt", "olmo", "jais", "trillion", "phi-2"].map((name) => split(name, BYTE_LEVEL)),
  ...["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"].map((name) =>
    split(name, DIGITS_THEN_GPT2),
  ),
  ...["llama3", "llama-v3", "llama-bpe", "falcon3"].map((name) => split(name, LLAMA3, true)),
  // llama.cpp does not normalise; the model's own tokenizer does.
  split("qwen2", QWEN2, false, NFC),
]);

function split(name: string, preTokenizer: unknown, ignoreMerges = false, normalizer: unknown = null) {
  return [name, { preTokenizer, ignoreMerges, normalizer }] as const;
}

function byteLevel(metadata: GgufMetadata, vocabulary: Vocabulary, file: string): Pieces {
  const pre = metadata.optionalString("tokenizer.ggml.pre") ?? "default";
  const found = SPLITS.get(pre);
  if (found === undefined) {
    throw new UserError(`${file}: the text split "${pre}" (tokenizer.ggml.pre) is not supported`, {
      remedy: "take tokenizer.json from the model's own repository, or convert with a current llama.cpp",
    });
  }
  const merges = metadata.strings("tokenizer.ggml.merges").map((merge): [string, string] => {
    const space = merge.indexOf(" ", 1); // a piece is never empty, and in the byte alphabet never holds a space
    const [left, right] = [merge.slice(0, space), merge.slice(space + 1)];
    if (space < 1 || ![left, right, left + right].every((piece) => vocabulary.ids.has(piece))) {
      throw new UserError(`${file}: merge "${merge}" names pieces that the vocabulary lacks`);
    }
    return [left, right];
  });
  return {
    normalizer: found.normalizer,
    pre_tokenizer: found.preTokenizer,
    decoder: BYTE_LEVEL,
    model: bpeModel({ vocab: Object.fromEntries(vocabulary.ids), merges, ignore_merges: found.ignoreMerges }),
  };
}

function sentencePiece(metadata: GgufMetadata, vocabulary: Vocabulary, gemma: boolean, file: string): Pieces {
  const prefix = metadata.boolean("tokenizer.ggml.add_space_prefix", !gemma);
  // Gemma's scores do not follow its merge order, the order of its tokens does; elsewhere the scores decide.
  const ranks = gemma ? vocabulary.tokens.map((_, id) => -id) : metadata.numbers("tokenizer.ggml.scores");
  if (ranks.length !== vocabulary.tokens.length) {
    throw new UserError(`${file}: ${vocabulary.tokens.length} tokens, but ${ranks.length} scores`);
  }
  const toSpaces = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const fromSpaces = { type: "Replace", pattern: { String: "▁" }, content: " " };
  const unknown = metadata.optionalNumber("tokenizer.ggml.unknown_token_id") ?? typeIndex(vocabulary, TYPE.unknown);
  const decoders = [fromSpaces, { type: "ByteFallback" }, { type: "Fuse" }];
  return {
    normalizer: prefix ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, toSpaces] } : toSpaces,
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: prefix ? [...decoders, { type: "Strip", content: " ", start: 1, stop: 0 }] : decoders,
    },
    model: bpeModel({
      vocab: Object.fromEntries(vocabulary.ids),
      merges: recoverMerges(vocabulary, ranks),
      unk_token: unknown === undefined ? null : (vocabulary.tokens[unknown] ?? null),
      fuse_unk: true,
      byte_fallback: true,
    }),
  };
}

function typeIndex({ tokens, types }: Vocabulary, type: number): number | undefined {
  const id = tokens.findIndex((_, i) => types[i] === type);
  return id < 0 ? undefined : id;
}

/**
 * Merges out of a vocabulary without them: every way to cut a token into two tokens is a merge; best token first, then
 * longer left part, then longer right part, else as found (Transformers, `generate_merges`).
 *
 * SentencePiece never merges into a byte, control or unknown token, so they are left out here, which only matters for
 * text such as a literal `<0x0A>`.
 *
 * @param ranks  by id; higher merges earlier
 */
export function recoverMerges(vocabulary: Vocabulary, ranks: ArrayLike<number>): [string, string][] {
  const { tokens, types, ids } = vocabulary;
  const found: { rank: number; left: number; right: number; pair: [string, string] }[] = [];
  for (const [id, token] of tokens.entries()) {
    if (token === undefined || (types[id] !== TYPE.normal && types[id] !== TYPE.userDefined)) continue;
    const characters = [...token];
    for (let cut = 1, at = 0; cut < characters.length; cut++) {
      at += characters[cut - 1]?.length ?? 0;
      const pair: [string, string] = [token.slice(0, at), token.slice(at)];
      if (!ids.has(pair[0]) || !ids.has(pair[1])) continue;
      found.push({ rank: ranks[id] ?? 0, left: cut, right: characters.length - cut, pair });
    }
  }
  found.sort((a, b) => b.rank - a.rank || b.left - a.left || b.right - a.right);
  return found.map((merge) => merge.pair);
}

/** The begin token in front of every text. */
function beginWith(vocabulary: Vocabulary, id: number | undefined, file: string): Record<string, unknown> {
  const token = id === undefined ? undefined : vocabulary.tokens[id];
  if (id === undefined || token === undefined) throw new UserError(`${file} adds a begin token, but names none`);
  return startWith(token, id);
}

function tokenizerConfig(metadata: GgufMetadata, { tokens }: Vocabulary, file: string): Record<string, unknown> {
  const config: Record<string, unknown> = {
    clean_up_tokenization_spaces: false,
    // The generic class takes tokenizer.json as it is; a family's own class would rebuild parts of it.
    tokenizer_class: "PreTrainedTokenizerFast",
  };
  for (const [key, name] of [
    ["bos_token", "bos"],
    ["eos_token", "eos"],
    ["unk_token", "unknown"],
    ["pad_token", "padding"],
  ] as const) {
    const id = metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`);
    if (id === undefined) continue;
    const token = tokens[id];
    if (token === undefined) throw new UserError(`${file}: ${key} is id ${id}, which the vocabulary lacks`);
    config[key] = token;
  }
  const template = metadata.optionalString("tokenizer.chat_template");
  if (template !== undefined) config.chat_template = template;
  return config;
}
