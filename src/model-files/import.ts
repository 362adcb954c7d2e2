/**
 * Turns a model file into a model directory in Hugging Face's layout, one tensor at a time.
 * May not know: graphs, training, commands.
 */

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { importOptions } from "../options/files.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import { llama2cTokenizer, llama2cTokenizerConfig, llama2cTokenizerJson } from "../text/llama2c.js";
import { writeDirectory } from "../util/directories.js";
import { present, UserError } from "../util/errors.js";
import { sha256File, writeFileAtomic } from "../util/files.js";
import { readInput } from "../util/input.js";
import { jsonObject, LARGEST_JSON } from "../util/json.js";
import { CONFIG, GENERATION_CONFIG, TOKENIZER, TOKENIZER_CONFIG } from "../util/model-files.js";
import { type Defaulted, type OptionsOf, withDefaults } from "../util/options.js";
import { excerpt } from "../util/terminal.js";
import { option, words } from "../util/words.js";
import { type GgufFile, ggufMetadata, openGguf } from "../weights/gguf.js";
import { type GgufConfig, ggufConfig } from "../weights/gguf-config.js";
import { type GgufArchitecture, mapTensors, TENSOR_TABLES, undoChange } from "../weights/gguf-tensors.js";
import { ggufTokenizer } from "../weights/gguf-tokenizer.js";
import { type Llama2cFile, openLlama2c } from "../weights/llama2c.js";
import { isWeightsFile, writeModelWeights } from "../weights/safetensors-write.js";
import type { WeightDtype, WeightToWrite } from "../weights/weight-store.js";

export interface ImportOptions extends OptionsOf<typeof importOptions> {
  /** A `.gguf` file, or a `.bin` file of llama2.c. */
  readonly file: string;
}

export interface ImportSummary {
  readonly out: string;
  readonly format: string;
  readonly model_type: string;
  readonly source_sha256: string;
  readonly dtype: WeightDtype;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly files: readonly string[];
}

/** What a format gives: the small files, and the tensors under their published names. */
interface ImportPlan {
  readonly format: string;
  readonly modelType: string;
  readonly json: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly tensors: readonly WeightToWrite[];
  readonly close: () => Promise<void>;
}

/** Only an import writes it. */
const ORIGIN = "import.json";
const MARKER = { name: ORIGIN, isOurs: (text: string): boolean => jsonObject(text)?.source_sha256 !== undefined };
const originSchema = z.object({ files: z.record(z.string(), z.string()).optional() });
const isOurs = (path: string): boolean =>
  [ORIGIN, CONFIG, GENERATION_CONFIG, TOKENIZER, TOKENIZER_CONFIG].includes(path) || isWeightsFile(path);

const TORCH_DTYPE: Readonly<Record<WeightDtype, string>> = { F32: "float32", F16: "float16", BF16: "bfloat16" };

/**
 * Imports a model file. `out` appears whole or not at all; stopped between two tensors, nothing is left behind.
 *
 * @throws UserError  `out` is there, the file is damaged, or the model is of a kind that is not read
 */
export const importModel = (options: ImportOptions, watch: Watch = {}): Promise<ImportSummary> =>
  watched("models import", watch, (say) => importFile(withDefaults(importOptions, options), say, watch.signal));

async function importFile(
  options: ImportOptions & Defaulted<typeof importOptions>,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<ImportSummary> {
  const replace = { force: options.force, marker: MARKER, owns: isOurs };
  if (replace.force) await refuseEdited(options.out);
  let summary: ImportSummary | undefined;
  await writeDirectory(options.out, replace, async (directory) => {
    const plan = await planImport(options);
    try {
      const sourceHash = await sha256File(options.file);
      summary = await writeModel(directory, plan, { ...options, sourceHash, say, signal });
    } finally {
      await plan.close();
    }
  });
  return present(summary, "the summary of what was written");
}

/**
 * A file that is not as the import wrote it is somebody's work. Older imports kept no hashes: of theirs nothing can be told.
 *
 * @throws UserError  one was changed
 */
async function refuseEdited(out: string): Promise<void> {
  const path = join(out, ORIGIN);
  if (!existsSync(path)) return; // a folder that is none of ours is refused elsewhere
  const { files } =
    originSchema.safeParse(jsonObject((await readInput(path, { most: LARGEST_JSON })).toString())).data ?? {};
  for (const [name, hash] of Object.entries(files ?? {})) {
    const file = join(out, name);
    if (!isOurs(name) || !existsSync(file) || (await sha256File(file)) === hash) continue;
    throw new UserError(`${file} was changed after it was imported, and would be replaced`, {
      remedy: "move it out of the folder to import again, or name another folder",
    });
  }
}

async function planImport({ file, tokenizer }: ImportOptions): Promise<ImportPlan> {
  if (file.endsWith(".bin")) return planLlama2c(file, await openLlama2c(file), tokenizer);
  if (!file.endsWith(".gguf")) {
    throw new UserError(`${file} is neither a .gguf file nor a .bin file of llama2.c`, { remedy: "name one of these" });
  }
  if (tokenizer !== undefined) {
    throw new UserError("a GGUF file brings its own tokenizer", { remedy: words`leave out ${option("tokenizer")}` });
  }
  return planGguf(file, await openGguf(file));
}

async function planLlama2c(path: string, file: Llama2cFile, tokenizer: string | undefined): Promise<ImportPlan> {
  try {
    const bytes = await readVocabulary(path, file.vocabulary, tokenizer);
    const tokenizerJson = llama2cTokenizerJson(bytes);
    return {
      format: "llama2.c version 0",
      modelType: "llama",
      json: {
        "config.json": file.config,
        "generation_config.json": file.generationConfig,
        "tokenizer.json": tokenizerJson,
        "tokenizer_config.json": {
          ...llama2cTokenizerConfig(bytes),
          model_max_length: file.config.max_position_embeddings,
        },
      },
      tensors: [...file.tensors.values()].map(({ name, shape }) => ({ name, shape, values: () => file.read(name) })),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readVocabulary(model: string, size: number, named: string | undefined): Promise<Uint8Array> {
  const candidates =
    named === undefined ? [`tok${size}.bin`, "tokenizer.bin"].map((n) => join(dirname(model), n)) : [named];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new UserError(`missing: ${candidates.join(" or ")}`, {
      remedy: words`name the vocabulary with ${option("tokenizer")}`,
    });
  }
  const bytes = await readInput(path, { most: LARGEST_JSON, what: "a vocabulary" });
  const tokens = llama2cTokenizer(bytes).vocabSize;
  if (tokens !== size) throw new UserError(`${path} has ${tokens} tokens, ${model} has ${size}`);
  return bytes;
}

async function planGguf(path: string, file: GgufFile): Promise<ImportPlan> {
  try {
    const metadata = ggufMetadata(path, file.metadata);
    const { architecture, sizes, config, generationConfig } = await configOfGguf(path, file);
    const tokenizer = ggufTokenizer(architecture, metadata, sizes.vocabulary, path);
    const tensors = mapTensors(architecture, sizes, file.tensors, path).map((tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      values: async () => undoChange(await file.read(tensor.gguf), tensor, sizes.headDim),
    }));
    return {
      format: `GGUF version ${file.version}`,
      modelType: String(config.model_type),
      json: {
        "config.json": config,
        "generation_config.json": generationConfig,
        "tokenizer.json": tokenizer.tokenizer,
        "tokenizer_config.json": { ...tokenizer.config, model_max_length: config.max_position_embeddings },
      },
      tensors,
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The configuration that a GGUF file's metadata and tensors amount to. */
export async function configOfGguf(
  path: string,
  file: GgufFile,
): Promise<GgufConfig & { readonly architecture: GgufArchitecture }> {
  const metadata = ggufMetadata(path, file.metadata);
  const architecture = knownArchitecture(metadata.string("general.architecture"), path);
  const table = TENSOR_TABLES[architecture];
  const vocabulary = file.tensors.get(table.embedding[0])?.shape[0];
  if (vocabulary === undefined) throw new UserError(`${path} has no embedding`, { remedy: "fetch the file again" });
  const tied = !file.tensors.has(table.head[0]);
  const ropeDivisors = await readRopeDivisors(path, file, architecture);
  return { architecture, ...ggufConfig(architecture, { file: path, metadata, vocabulary, tied, ...ropeDivisors }) };
}

async function readRopeDivisors(
  path: string,
  file: GgufFile,
  architecture: GgufArchitecture,
): Promise<{ readonly ropeDivisors?: Float32Array }> {
  const table = file.tensors.get(ROPE_DIVISORS);
  if (table === undefined) return {};
  // One for each pair of a head's dimensions: no model has heads of 65,536.
  if (architecture !== "llama" || table.shape.length !== 1 || (table.shape[0] ?? 0) > 2 ** 15) {
    throw new UserError(`${path} has a table of rope frequencies (shape [${table.shape}]) in a ${architecture} model`, {
      remedy: "take the model from its own repository",
    });
  }
  return { ropeDivisors: await file.read(ROPE_DIVISORS) };
}

const ROPE_DIVISORS = "rope_freqs.weight";

function knownArchitecture(name: string, file: string): GgufArchitecture {
  if (Object.hasOwn(TENSOR_TABLES, name)) return name as GgufArchitecture;
  throw new UserError(`${file} holds a model of architecture "${excerpt(name)}"`, {
    remedy: `${Object.keys(TENSOR_TABLES)
      .join(", ")
      .replace(/, (?=[^,]*$)/u, " and ")} are supported in GGUF files`,
  });
}

interface WriteInput extends ImportOptions {
  readonly dtype: WeightDtype;
  readonly sourceHash: string;
  readonly say: Emitter;
  readonly signal: AbortSignal | undefined;
}

async function writeModel(directory: string, plan: ImportPlan, input: WriteInput): Promise<ImportSummary> {
  const { dtype, sourceHash, say, signal } = input;
  let done = 0;
  say.begin({ total: plan.tensors.length, unit: "tensors", reused: 0 });
  const tensors = plan.tensors.map((tensor) => ({
    ...tensor,
    values: async () => {
      signal?.throwIfAborted();
      const values = await tensor.values();
      say.progress({ done: ++done });
      return values;
    },
  }));
  const written = await writeModelWeights(directory, tensors, { dtype });
  for (const [name, content] of Object.entries(plan.json)) {
    const full = name === "config.json" ? { ...content, torch_dtype: TORCH_DTYPE[dtype] } : content;
    await writeFileAtomic(join(directory, name), `${JSON.stringify(full, null, name === "tokenizer.json" ? 0 : 2)}\n`);
  }
  const files: Record<string, string> = {};
  for (const name of [...written.files, ...Object.keys(plan.json)])
    files[name] = await sha256File(join(directory, name));
  const from = { source: basename(input.file), source_sha256: sourceHash };
  const origin = { version: 1, ...from, format: plan.format, dtype, files };
  await writeFileAtomic(join(directory, ORIGIN), `${JSON.stringify(origin, null, 2)}\n`);
  return {
    out: input.out,
    format: plan.format,
    model_type: plan.modelType,
    source_sha256: sourceHash,
    dtype,
    tensors: tensors.length,
    parameters: written.parameters,
    bytes: written.bytes,
    files: [...written.files, ...Object.keys(plan.json), ORIGIN],
  };
}
