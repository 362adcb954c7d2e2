/**
 * What every engine that reads a model directory needs of it besides weights, read once: configuration, text, and the hash of its files.
 * May not know: weights, graphs, any one engine.
 */
import type { ModelRef, OnHashed } from "../engine/opened.js";
import { type EncoderText, loadEncoderText } from "../text/encoder.js";
import { textModelIn } from "../text/load.js";
import { stopIdsOf } from "../text/stop-ids.js";
import type { TextModel } from "../text/tokenizer.js";
import { requireConfig } from "../util/model-kinds.js";
import { hashModelIn } from "./hash.js";

interface Folder {
  readonly directory: string;
  /** What `config.json` says. */
  readonly config: unknown;
  /** As `hashModel`. The files are read when it is first asked for. */
  hash(onHashed?: OnHashed): Promise<string>;
}

export interface ModelFolder extends Folder {
  readonly text: TextModel;
  /** What ends an answer. */
  readonly stopIds: readonly number[];
}

export interface EncoderFolder extends Folder {
  readonly text: EncoderText;
}

/** @throws UserError  no model there, or a tokenizer that is not supported */
export async function openModelFolder(ref: ModelRef): Promise<ModelFolder> {
  const { directory, config } = await requireConfig(ref, ["tokenizer", "config", "weights"]);
  const text = await textModelIn(directory, config);
  return { directory, config, hash: hashOnce(directory), text, stopIds: await stopIdsOf(directory, text) };
}

/** @throws UserError  no encoder there, or a tokenizer that is not supported */
export async function openEncoderFolder(ref: ModelRef): Promise<EncoderFolder> {
  const { directory, config } = await requireConfig(ref, ["config", "tokenizer", "weights"]);
  return { directory, config, hash: hashOnce(directory), text: await loadEncoderText(directory) };
}

function hashOnce(directory: string): Folder["hash"] {
  let hash: Promise<string> | undefined;
  return (onHashed) => {
    hash ??= hashModelIn(directory, onHashed);
    return hash;
  };
}
