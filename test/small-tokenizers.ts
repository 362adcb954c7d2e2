/**
 * Small tokenizers of each kind that causal models use, trained here on a text of our own: the hermetic tests need every
 * kind and may hold nobody's vocabulary.
 */

import { addedToken, bpeModel } from "../src/records/tokenizer-json.js";

const corpus = [
  "The model reads the prompt and writes the response. The response ends; the model stops.",
  "What is the capital of France? The capital of France is Paris. I don't think it's 12 or 1,080!",
  "def add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\n",
  "naïve café — “quotes” … über Ångström, 你好 世界, привет мир, مرحبا 🙂🙂",
  "<|user|>\nHow do I bake bread?\n<|assistant|>\nMix flour, water, salt and yeast.\n",
  "aaaa aaaaaaaa bbbb ababab   three   spaces\t\ttabs ### ## # 2024 100 10 1",
].join(" ");

type Merges = [string, string][];

interface Trained {
  readonly vocab: Record<string, number>;
  readonly merges: Merges;
}

/** Plain byte-pair training: joins the most frequent neighbouring pair, the first seen on ties, `joins` times. */
function train(words: readonly string[], alphabet: readonly string[], first: number, joins: number): Trained {
  const vocab: Record<string, number> = {};
  for (const symbol of alphabet) vocab[symbol] ??= first + Object.keys(vocab).length;
  const merges: Merges = [];
  let rows = words.map((word) => [...word]);
  for (let n = 0; n < joins; n++) {
    const counts = new Map<string, number>();
    for (const row of rows) {
      for (let i = 0; i + 1 < row.length; i++) {
        const key = `${row[i]}\u0000${row[i + 1]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    const best = [...counts].sort((a, b) => b[1] - a[1])[0];
    if (best === undefined) break;
    const [left = "", right = ""] = best[0].split("\u0000");
    merges.push([left, right]);
    vocab[left + right] ??= first + Object.keys(vocab).length;
    rows = rows.map((row) => joined(row, left, right));
  }
  return { vocab, merges };
}

function joined(row: readonly string[], left: string, right: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < row.length; i++) {
    if (row[i] === left && row[i + 1] === right) result.push(left + row[++i]!);
    else result.push(row[i]!);
  }
  return result;
}

const byteCharacter = (byte: number): string => {
  const visible = (b: number): boolean => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
  if (visible(byte)) return String.fromCharCode(byte);
  let hidden = 0;
  for (let b = 0; b < byte; b++) if (!visible(b)) hidden += 1;
  return String.fromCharCode(0x100 + hidden);
};
const bytes = Array.from({ length: 256 }, (_, byte) => byte);
const byteLetters = bytes.map(byteCharacter);
const asBytes = (text: string): string => [...Buffer.from(text, "utf8")].map((byte) => byteLetters[byte]).join("");
const bytePieces = bytes.map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);

const added = (id: number, content: string, flags: object = {}) => ({ ...addedToken(id, content), ...flags });
const byteLevel = (useRegex: boolean, prefix = false) => ({
  type: "ByteLevel",
  add_prefix_space: prefix,
  trim_offsets: true,
  use_regex: useRegex,
});
const bosTemplate = (bos: string, id: number) => ({
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
  special_tokens: { [bos]: { id: bos, ids: [id], tokens: [bos] } },
});
const file = <T extends object>(parts: T) => ({ version: "1.0", truncation: null, padding: null, ...parts });
const bpe = (trained: Trained, options: object = {}) => bpeModel({ ...trained, ...options });

function trainedOnBytes(joins: number): Trained {
  const words = corpus.match(/ ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu) ?? [];
  return train(words.map(asBytes), byteLetters, 0, joins);
}

/** GPT-2: bytes, GPT-2's pattern, old-style merges, `<|endoftext|>` as text of a normalized token, no BOS. */
export function gpt2Like() {
  const trained = trainedOnBytes(120);
  const end = Object.keys(trained.vocab).length;
  return file({
    added_tokens: [added(end, "<|endoftext|>", { normalized: true })],
    normalizer: null,
    pre_tokenizer: byteLevel(true),
    post_processor: byteLevel(true),
    decoder: byteLevel(true),
    model: {
      ...bpe({ ...trained, vocab: { ...trained.vocab, "<|endoftext|>": end } }),
      merges: trained.merges.map((pair) => pair.join(" ")),
    },
  });
}

/** OLMo: as GPT-2 with NFC, and runs of spaces as added tokens that are not special. */
export function olmoLike() {
  const trained = trainedOnBytes(120);
  const next = Object.keys(trained.vocab).length;
  const runs = [8, 7, 6, 5, 4, 3, 2].map((n, i) =>
    added(next + i, " ".repeat(n), { normalized: true, special: false }),
  );
  return file({
    added_tokens: [
      ...runs,
      added(next + 7, "<|endoftext|>"),
      added(next + 8, "|||IP_ADDRESS|||", { normalized: true, special: false }),
      added(next + 9, "<mask>", { lstrip: true, rstrip: true }),
      added(next + 10, "word", { singleWord: true, single_word: true, special: false }),
    ],
    normalizer: { type: "NFC" },
    pre_tokenizer: byteLevel(true),
    post_processor: byteLevel(true),
    decoder: byteLevel(true),
    model: bpe(trained),
  });
}

/** SmolLM: single digits, then GPT-2's pattern. */
export function smollmLike() {
  return {
    ...gpt2Like(),
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel(true)],
    },
  };
}

/** Llama 3: its own pattern, words that are pieces taken whole, BOS by a sequence of post-processors. */
export function llama3Like() {
  const trained = trainedOnBytes(120);
  const next = Object.keys(trained.vocab).length;
  const whole = { ...trained.vocab, [asBytes(" wholly")]: next, [asBytes("http")]: next + 1 };
  const pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  return file({
    added_tokens: [added(next + 2, "<s>"), added(next + 3, "</s>")],
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
        byteLevel(false),
      ],
    },
    post_processor: { type: "Sequence", processors: [byteLevel(true), bosTemplate("<s>", next + 2)] },
    decoder: byteLevel(true),
    model: bpe({ ...trained, vocab: whole }, { ignore_merges: true }),
  });
}

/** Pieces with `▁`; the whole text is one word, so merges reach across lines and, where the corpus has them, words. */
function trainedOnText(joins: number): Trained {
  const marked = corpus.replaceAll(" ", "▁");
  // The last letters of the corpus are left out of the alphabet, so that bytes and unknowns occur.
  const letters = [...new Set([...marked].filter((letter) => !/[\p{Script=Han}\p{Script=Arabic}🙂]/u.test(letter)))];
  return train([marked.replaceAll(/[^\P{Script=Han}]|[^\P{Script=Arabic}]|🙂/gu, "…")], letters, 3 + 256, joins);
}

const sentencePieceDecoder = (strip: boolean) => ({
  type: "Sequence",
  decoders: [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(strip ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
  ],
});
const withBytes = (trained: Trained, names: readonly [string, string, string]): Trained => ({
  ...trained,
  vocab: {
    ...Object.fromEntries(names.map((name, id) => [name, id])),
    ...Object.fromEntries(bytePieces.map((piece, byte) => [piece, 3 + byte])),
    ...trained.vocab,
  },
});

/** Llama 2: a space in front, byte fallback, fused unknowns, BOS; control tokens normalized. */
export function llama2Like(flags: { normalized?: boolean } = {}) {
  const { normalized = true } = flags;
  return file({
    added_tokens: ["<unk>", "<s>", "</s>"].map((name, id) => added(id, name, { normalized })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: bosTemplate("<s>", 1),
    decoder: sentencePieceDecoder(true),
    model: bpe(withBytes(trainedOnText(160), ["<unk>", "<s>", "</s>"]), {
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
    }),
  });
}

/** As Llama 2, but without byte pieces: characters that it lacks are unknown, one token for a run of them or for each. */
export function unknownLike(fuse: boolean) {
  const base = llama2Like();
  const { vocab, merges } = trainedOnText(160);
  return {
    ...base,
    model: bpe(
      { vocab: { "<unk>": 0, "<s>": 1, "</s>": 2, ...vocab }, merges },
      { unk_token: "<unk>", fuse_unk: fuse, byte_fallback: false },
    ),
  };
}

/** Gemma: no space in front, a pre-tokenizer that finds nothing, newlines as added tokens, BOS. */
export function gemmaLike() {
  const all = withBytes(trainedOnText(160), ["<pad>", "<eos>", "<bos>"]);
  const isRun = (piece: string): boolean => /▁▁|\n\n/.test(piece);
  const byId = Object.entries(all.vocab).sort((a, b) => a[1] - b[1]);
  const pieces = [...byId.map(([piece]) => piece).filter((piece) => !isRun(piece)), "<unk>"];
  const next = pieces.length - 1;
  return file({
    added_tokens: [
      ...["<pad>", "<eos>", "<bos>"].map((name, id) => added(id, name)),
      added(next, "<unk>"),
      ...[2, 3, 4].map((n, i) => added(next + 1 + i, "\n".repeat(n), { special: false })),
      ...[2, 3, 4].map((n, i) => added(next + 4 + i, "▁".repeat(n), { special: false })),
      added(next + 7, "<start_of_turn>"),
    ],
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    pre_tokenizer: { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false },
    post_processor: bosTemplate("<bos>", 2),
    decoder: sentencePieceDecoder(false),
    model: bpe(
      {
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
        merges: all.merges.filter((pair) => !isRun(pair.join(""))),
      },
      { unk_token: "<unk>", fuse_unk: true, byte_fallback: true },
    ),
  });
}

/** Mistral's newer files: Metaspace instead of normalizer and decoder. */
export function metaspaceLike(scheme: "always" | "first" | "never", split: boolean) {
  const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: scheme, split };
  return {
    ...llama2Like({ normalized: false }),
    normalizer: null,
    pre_tokenizer: metaspace,
    decoder: metaspace,
  };
}

/** BERT: WordPieces, special tokens around the text; with letter case and accents (`cased`) or without. */
export function bertLike({ cased = false } = {}) {
  const text = cased ? corpus : corpus.toLowerCase();
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  const pieces = new Set(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
  for (const character of text.replaceAll(/[\s🙂]/gu, "")) pieces.add(character);
  for (const word of words) {
    const [first = "", ...rest] = [...word];
    pieces.add(first).add(first + rest.slice(0, 3).join(""));
    for (const character of rest) pieces.add(`##${character}`);
    if (rest.length > 3) pieces.add(`##${rest.slice(-3).join("")}`);
  }
  const around = (name: string, id: number) => [name, { id: name, ids: [id], tokens: [name] }] as const;
  return file({
    added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map((name, id) => added(id, name)),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: !cased,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [],
      special_tokens: Object.fromEntries([around("[CLS]", 2), around("[SEP]", 3)]),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 20,
      vocab: Object.fromEntries([...pieces].map((piece, id) => [piece, id])),
    },
  });
}
