/**
 * From an encoder's directory to a model, and what its publisher says of turning hidden states into one vector
 * (sentence-transformers' `modules.json`, `1_Pooling/config.json`, `sentence_bert_config.json`).
 * Adding a family is one file and one entry in `encoderFamilies`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Pooling } from "../../records/similarity.js";
import { UserError } from "../../util/errors.js";
import { readJson } from "../../util/json.js";
import { CONFIG } from "../../util/model-files.js";
import { checked } from "../../util/schema.js";
import { type Naming, openTensors } from "../match-tensors.js";
import type { AnyFamily, Model } from "../model.js";
import type { OpenModel } from "../open.js";
import { bert } from "./bert.js";
import { nomicBert } from "./nomic-bert.js";

const encoderFamilies: readonly AnyFamily[] = [bert, nomicBert];

/** What a directory says besides its weights; undefined where it says nothing. */
export interface EncoderSettings {
  readonly pooling: Pooling | undefined;
  /** The most tokens of one text that count, special ones included. */
  readonly maxTokens: number | undefined;
}

/** Heads for other purposes, and what is computed and not learned: not part of an embedding. */
const BESIDE = /(^|\.)(pooler\.|cls\.|lm_head\.|embeddings\.position_ids$|rotary_emb\.inv_freq$)/;

/**
 * @param config  what its `config.json` says
 * @throws UserError  no encoder that is read here; a tensor missing, of another shape, or unknown
 */
export async function openEncoder(directory: string, config: unknown): Promise<OpenModel> {
  const model = encoderFromConfig(config, join(directory, CONFIG));
  return { model, ...(await openTensors(model, directory, namingOf(model.family))), configChanges: {} };
}

function encoderFromConfig(config: unknown, path: string): Model {
  const type = typeof config === "object" && config !== null && "model_type" in config ? config.model_type : undefined;
  const family = encoderFamilies.find(({ modelTypes }) => modelTypes.includes(String(type)));
  if (family === undefined) {
    throw new UserError(`${path}: model_type ${JSON.stringify(type)} is not a supported encoder`, {
      remedy: `known: ${encoderFamilies.flatMap(({ modelTypes }) => modelTypes).join(", ")}; or name a server's URL`,
    });
  }
  return family.open(config, path);
}

/** Files of a whole model have a prefix (`bert.`), those of 2019 call a norm's parameters gamma and beta. */
const namingOf = (family: string): Naming => ({
  spellings(name) {
    const old = name.replace(/(LayerNorm\.)weight$/, "$1gamma").replace(/(LayerNorm\.)bias$/, "$1beta");
    return [name, `${family}.${name}`, old, `${family}.${old}`];
  },
  isBeside: (name) => BESIDE.test(name),
});

const modulesSchema = z.array(z.object({ type: z.string(), path: z.string() }));
const poolingSchema = z.record(z.string(), z.unknown());
const limitSchema = z.object({ max_seq_length: z.number().int().positive().nullish() });

/** @throws UserError  a step between hidden states and vector that is not supported */
export async function encoderSettings(directory: string): Promise<EncoderSettings> {
  const modulesPath = join(directory, "modules.json");
  const limitPath = join(directory, "sentence_bert_config.json");
  const limit = existsSync(limitPath)
    ? checked(limitSchema, await readJson(limitPath), limitPath, REMEDY).max_seq_length
    : undefined;
  if (!existsSync(modulesPath)) return { pooling: undefined, maxTokens: limit ?? undefined };
  let pooling: Pooling | undefined;
  for (const { type, path } of checked(modulesSchema, await readJson(modulesPath), modulesPath, REMEDY)) {
    const kind = type.split(".").at(-1);
    if (kind === "Pooling") pooling = await declaredPooling(join(directory, path, "config.json"));
    else if (kind !== "Transformer" && kind !== "Normalize") {
      throw new UserError(`${modulesPath}: ${type} is not supported`, {
        remedy: "known: Transformer, Pooling and Normalize; serve this model and name the server's URL",
      });
    }
  }
  return { pooling, maxTokens: limit ?? undefined };
}

async function declaredPooling(path: string): Promise<Pooling> {
  const settings = checked(poolingSchema, await readJson(path), path, REMEDY);
  if (settings.include_prompt === false) {
    throw new UserError(`${path}: pooling without the prompt's tokens is not supported`, {
      remedy: "serve this model and name the server's URL",
    });
  }
  const flags = Object.entries(settings).flatMap(([key, on]) =>
    key.startsWith("pooling_mode_") && on === true ? [key.slice("pooling_mode_".length)] : [],
  );
  const modes = typeof settings.pooling_mode === "string" ? [settings.pooling_mode] : flags;
  if (modes.length === 1 && /^mean(_tokens)?$/.test(modes.join())) return "mean";
  if (modes.length === 1 && /^cls(_token)?$/.test(modes.join())) return "cls";
  throw new UserError(`${path}: pooling by ${modes.join(" and ") || "nothing"} is not supported`, {
    remedy: "known: mean_tokens and cls_token",
  });
}

const REMEDY = "correct it there, or fetch the encoder again";
