/**
 * The vocabulary file of llama2.c (`tok512.bin`, `tokenizer.bin`) as an equivalent `tokenizer.json`, so that a model
 * directory imported from llama2.c is read like any other, here and in Transformers.
 * May not know: templates, weights, files.
 *
 * The file: uint32 longest piece, then per token float32 score, int32 length, bytes; little endian. llama2.c puts a space
 * in front of a text, takes one token a character (bytes + 3 where there is none) and joins the neighbouring pair whose
 * joined piece scores highest, leftmost on ties. That is byte-pair encoding with merges ranked by the product's score.
 * Source: karpathy/llama2.c, `tokenizer.py` (export) and `run.c` (encode).
 */

import { addedToken, bpeModel, startWith } from "../records/tokenizer-json.js";
import { UserError } from "../util/errors.js";
import { bytePiece } from "./bpe.js";
import { tokenizerFromJson } from "./huggingface.js";
import type { Tokenizer } from "./tokenizer.js";

const UNK = 0;
const BOS = 1;
const EOS = 2;
const FIRST_BYTE = 3;
const ORDINARY = FIRST_BYTE + 256;

interface ScoredPiece {
  readonly piece: string;
  readonly score: number;
}

/** @throws UserError  the bytes are no llama2.c vocabulary, or one that merges cannot express */
export function llama2cTokenizerJson(bytes: Uint8Array): Record<string, unknown> {
  const pieces = readPieces(bytes);
  const vocab = new Map<string, number>();
  for (const [id, { piece }] of pieces.entries()) {
    const other = vocab.get(piece);
    if (other !== undefined) refuse(`tokens ${other} and ${id} are both ${JSON.stringify(piece)}`);
    vocab.set(piece, id);
  }
  for (let byte = 0; byte < 256; byte++) {
    if (pieces[FIRST_BYTE + byte]?.piece !== bytePiece(byte))
      refuse(`token ${FIRST_BYTE + byte} is not ${bytePiece(byte)}`);
  }
  const added = (id: number) => addedToken(id, pieces[id]?.piece ?? "");
  const bos = pieces[BOS]?.piece ?? "";
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [UNK, BOS, EOS].map(added),
    normalizer: { type: "Prepend", prepend: " " },
    pre_tokenizer: null,
    post_processor: startWith(bos, BOS),
    decoder: {
      type: "Sequence",
      decoders: [{ type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }],
    },
    model: bpeModel({
      unk_token: pieces[UNK]?.piece ?? null,
      byte_fallback: true,
      vocab: Object.fromEntries(vocab),
      merges: mergesByScore(pieces, vocab),
    }),
  };
}

/**
 * The `tokenizer_config.json` beside it. `PreTrainedTokenizerFast` takes tokenizer.json as it is; Llama's own class would
 * build another normalizer. The models of this format were trained with begin tokens only, so the begin token also ends a text.
 */
export function llama2cTokenizerConfig(bytes: Uint8Array): Record<string, unknown> {
  const bos = readPieces(bytes)[BOS]?.piece;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: bos,
    eos_token: bos,
    unk_token: readPieces(bytes)[UNK]?.piece,
    clean_up_tokenization_spaces: false,
  };
}

/** The vocabulary as a tokenizer, without a model directory. */
export const llama2cTokenizer = (bytes: Uint8Array): Tokenizer => tokenizerFromJson(llama2cTokenizerJson(bytes));

/** Every way to put a piece together from two others, best product first. */
function mergesByScore(pieces: readonly ScoredPiece[], vocab: ReadonlyMap<string, number>): [string, string][] {
  const products = pieces
    .slice(ORDINARY)
    .map(({ piece, score }) => ({ score, splits: splitsOf(piece, vocab) }))
    .filter(({ splits }) => splits.length > 0)
    .sort((a, b) => b.score - a.score);
  for (const [i, product] of products.entries()) {
    const before = products[i - 1];
    if (before !== undefined && before.score === product.score) {
      refuse(
        `${name(before.splits)} and ${name(product.splits)} share the score ${product.score}: no order of merges is equal`,
      );
    }
  }
  return products.flatMap(({ splits }) => splits);
}

const name = (splits: readonly [string, string][]): string => JSON.stringify(splits[0]?.join("") ?? "");

function splitsOf(piece: string, vocab: ReadonlyMap<string, number>): [string, string][] {
  const splits: [string, string][] = [];
  for (let i = 1; i < piece.length; i++) {
    const left = piece.slice(0, i);
    const right = piece.slice(i);
    if (vocab.has(left) && vocab.has(right)) splits.push([left, right]);
  }
  return splits;
}

function readPieces(bytes: Uint8Array): ScoredPiece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) refuse(`it has ${bytes.length} bytes`);
  const longest = view.getUint32(0, true);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const pieces: ScoredPiece[] = [];
  for (let offset = 4; offset < bytes.length; ) {
    const id = pieces.length;
    if (offset + 8 > bytes.length) refuse(`it ends inside token ${id}`);
    const score = view.getFloat32(offset, true);
    const length = view.getInt32(offset + 4, true);
    offset += 8;
    if (length < 0 || length > longest || offset + length > bytes.length) refuse(`token ${id} claims ${length} bytes`);
    if (!Number.isFinite(score)) refuse(`token ${id} has the score ${score}`);
    try {
      pieces.push({ piece: utf8.decode(bytes.subarray(offset, offset + length)), score });
    } catch (error) {
      throw new UserError(`not a llama2.c vocabulary: token ${id} is not UTF-8`, { cause: error });
    }
    offset += length;
  }
  if (pieces.length < ORDINARY) refuse(`it has ${pieces.length} tokens, fewer than the ${ORDINARY} that all have`);
  return pieces;
}

function refuse(what: string): never {
  throw new UserError(`not a llama2.c vocabulary: ${what}`, { remedy: "name a tokenizer.bin or tok*.bin of llama2.c" });
}
