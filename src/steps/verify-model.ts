/**
 * Reads everything in a model directory and says what is sound and what is not: headers, shapes, values, tied matrices,
 * tokenizer. One check after another; a failed one does not hide the next.
 * May not know: commands.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { HEADS, modelFromConfig, openModel } from "../models/open.js";
import { loadTextModel } from "../text/load.js";
import { UserError } from "../util/errors.js";
import { sha256File } from "../util/files.js";
import { readJson } from "../util/json.js";
import { modelDirectory, NAME_A_MODEL } from "../util/model-directory.js";
import { formatCount } from "../util/progress.js";
import { openWeights } from "../weights/open.js";
import type { WeightStore } from "../weights/weight-store.js";

export interface VerifyCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface VerifySummary {
  readonly path: string;
  readonly ok: boolean;
  readonly checks: readonly VerifyCheck[];
  /** Name to sha256 of every file in the directory. */
  readonly files: Readonly<Record<string, string>>;
}

export interface VerifyOptions {
  readonly onTensor?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** @throws UserError  there is no such directory, or no weights in it; what is wrong with them is a failed check */
export async function verifyModel(model: string, options: VerifyOptions = {}): Promise<VerifySummary> {
  const directory = modelDirectory(model);
  const files: Record<string, string> = {};
  for (const entry of await listFiles(directory)) files[entry] = await sha256File(join(directory, entry));
  const checks = [
    await check("shapes against config.json", () => checkShapes(directory)),
    await check("values", () => checkValues(directory, options)),
    await check("tied matrices", () => checkTied(directory)),
    await check("tokenizer", () => checkTokenizer(directory)),
  ];
  return { path: model, ok: checks.every(({ ok }) => ok), checks, files };
}

async function listFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`cannot read ${directory}: ${error.code ?? error.message}`, {
      remedy: NAME_A_MODEL,
    });
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** A check gives its detail or throws what is wrong; other errors than the user's are ours and go on. */
async function check(name: string, run: () => Promise<string>): Promise<VerifyCheck> {
  try {
    return { name, ok: true, detail: await run() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, ok: false, detail: error.line };
  }
}

async function withWeights<T>(directory: string, use: (weights: WeightStore) => Promise<T>): Promise<T> {
  const weights = await openWeights(directory);
  try {
    return await use(weights);
  } finally {
    await weights.close();
  }
}

async function checkShapes(directory: string): Promise<string> {
  const { model, weights } = await openModel(directory);
  await weights.close();
  return `${model.parameters.length} parameters of a ${model.family} model, each of its shape`;
}

/** Every value is read once. NaN and infinities are damage; a matrix of zeros is told, since some are meant. */
function checkValues(directory: string, options: VerifyOptions): Promise<string> {
  return withWeights(directory, async (weights) => {
    const broken: string[] = [];
    const zeros: string[] = [];
    let values = 0;
    let done = 0;
    for (const name of weights.tensors.keys()) {
      options.signal?.throwIfAborted();
      const counted = countValues(await weights.read(name));
      if (counted.nan + counted.infinite > 0) broken.push(`${name} (${counted.nan} NaN, ${counted.infinite} infinite)`);
      if (counted.total > 0 && counted.zero === counted.total) zeros.push(name);
      values += counted.total;
      options.onTensor?.(++done, weights.tensors.size);
    }
    if (broken.length > 0) throw new UserError(`values that are no numbers: ${some(broken)}`);
    const note = zeros.length === 0 ? "" : `; all zero: ${some(zeros)}`;
    return `${weights.tensors.size} tensors, ${formatCount(values)} values, all finite${note}`;
  });
}

const some = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

function countValues(values: Float32Array): { total: number; nan: number; infinite: number; zero: number } {
  let nan = 0;
  let infinite = 0;
  let zero = 0;
  for (const value of values) {
    if (value === 0) zero++;
    else if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
  }
  return { total: values.length, nan, infinite, zero };
}

const EMBEDDINGS = ["model.embed_tokens", "transformer.wte", "gpt_neox.embed_in"].flatMap((name) => [
  `${name}.weight`,
  `${name.replace(/^[^.]*\./u, "")}.weight`,
]);

/** A model that ties its output to its embedding may store the matrix twice, but then twice the same. */
async function checkTied(directory: string): Promise<string> {
  const config = await readJson(join(directory, "config.json"));
  const tied = typeof config === "object" && config !== null && (config as Record<string, unknown>).tie_word_embeddings;
  return withWeights(directory, async (weights) => {
    const head = HEADS.find((name) => weights.tensors.has(name));
    if (tied !== true)
      return head !== undefined ? "not tied: an output matrix of its own" : "no output matrix is stored";
    if (head === undefined) return "tied, stored once";
    const embedding = EMBEDDINGS.find((name) => weights.tensors.has(name));
    if (embedding === undefined) throw new UserError("tied, but there is no embedding to be tied to");
    const [a, b] = [await weights.read(embedding), await weights.read(head)];
    if (a.length !== b.length || a.some((value, i) => value !== b[i])) {
      throw new UserError(`config.json ties the output to ${embedding}, but ${head} is stored and differs`, {
        remedy: `set tie_word_embeddings to false, or remove ${head}`,
      });
    }
    return "tied, stored twice, both the same";
  });
}

async function checkTokenizer(directory: string): Promise<string> {
  const { tokenizer, bosId, eosId } = await loadTextModel(directory);
  const path = join(directory, "config.json");
  const rows = modelFromConfig(await readJson(path), path).dims.vocabSize;
  if (tokenizer.vocabSize > rows) {
    throw new UserError(`the tokenizer has ids up to ${tokenizer.vocabSize - 1}, but the embedding has ${rows} rows`);
  }
  if (eosId >= rows) throw new UserError(`the end token is id ${eosId}, but the embedding has ${rows} rows`);
  const begin = bosId === undefined ? "no begin token" : `begins with ${bosId}`;
  return `${tokenizer.vocabSize} ids for ${rows} rows; ${begin}, ends with ${eosId}`;
}
