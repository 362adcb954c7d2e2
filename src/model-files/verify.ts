/**
 * Reads everything in a model directory and says what is sound and what is not: headers, shapes, values, tied matrices,
 * tokenizer. One check after another; a failed one does not hide the next.
 * May not know: commands.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { headName } from "../models/model.js";
import { HEADS, openModel, readModelConfig } from "../models/open.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import { loadTextModel } from "../text/load.js";
import { stopIdsOf } from "../text/stop-ids.js";
import { UserError } from "../util/errors.js";
import { sha256File } from "../util/files.js";
import { NAME_A_MODEL } from "../util/model-directory.js";
import { requireModel } from "../util/model-kinds.js";
import { formatCount } from "../util/progress.js";
import { openDirectoryWeights } from "../weights/open.js";
import type { PiecewiseStore } from "../weights/weight-store.js";

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

/** @throws UserError  there is no such directory, or no weights in it; what is wrong with them is a failed check */
export const verifyModel = (model: string, watch: Watch = {}): Promise<VerifySummary> =>
  watched("models verify", watch, (say) => verifyDirectory(model, say, watch.signal));

async function verifyDirectory(model: string, say: Emitter, signal: AbortSignal | undefined): Promise<VerifySummary> {
  const directory = await requireModel(model, []);
  const files: Record<string, string> = {};
  for (const entry of await listFiles(directory)) files[entry] = await sha256File(join(directory, entry));
  const checks = [
    await check("shapes against config.json", () => checkShapes(directory)),
    await check("values", () => checkValues(directory, say, signal)),
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

async function withWeights<T>(directory: string, use: (weights: PiecewiseStore) => Promise<T>): Promise<T> {
  const weights = await openDirectoryWeights(directory);
  try {
    return await use(weights);
  } finally {
    await weights.close();
  }
}

async function checkShapes(directory: string): Promise<string> {
  const { model, weights, notes } = await openModel(directory);
  await weights.close();
  const also = notes.map((note) => `; ${note}`).join("");
  return `${model.parameters.length} parameters of a ${model.family} model, each of its shape${also}`;
}

/** Every value is read once. NaN and infinities are damage; a matrix of zeros is told, since some are meant. */
function checkValues(directory: string, say: Emitter, signal: AbortSignal | undefined): Promise<string> {
  return withWeights(directory, async (weights) => {
    const broken: string[] = [];
    const zeros: string[] = [];
    let values = 0;
    let done = 0;
    say.begin({ total: weights.tensors.size, unit: "tensors", reused: 0 });
    for (const name of weights.tensors.keys()) {
      signal?.throwIfAborted();
      const counted = { total: 0, nan: 0, infinite: 0, zero: 0 };
      for await (const piece of weights.pieces(name)) countValues(piece, counted);
      if (counted.nan + counted.infinite > 0) broken.push(`${name} (${counted.nan} NaN, ${counted.infinite} infinite)`);
      if (counted.total > 0 && counted.zero === counted.total) zeros.push(name);
      values += counted.total;
      say.progress({ done: ++done });
    }
    if (broken.length > 0) throw new UserError(`values that are NaN or infinite: ${some(broken)}`);
    const note = zeros.length === 0 ? "" : `; all zero: ${some(zeros)}`;
    return `${weights.tensors.size} tensors, ${formatCount(values)} values, all finite${note}`;
  });
}

const some = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

interface Counted {
  total: number;
  nan: number;
  infinite: number;
  zero: number;
}

function countValues(values: Float32Array, counted: Counted): void {
  for (const value of values) {
    if (value === 0) counted.zero++;
    else if (Number.isNaN(value)) counted.nan++;
    else if (!Number.isFinite(value)) counted.infinite++;
  }
  counted.total += values.length;
}

/** A model that ties its output to its embedding may store the matrix twice, but then twice the same. */
async function checkTied(directory: string): Promise<string> {
  const opened = await openModel(directory).catch(unlessMistake);
  if (opened === undefined) return "not looked at: the tensors are not those of config.json";
  const { model, weights, storedNames, configChanges } = opened;
  await weights.close();
  const [stored] = HEADS.filter((name) => weights.tensors.has(name));
  if ("tie_word_embeddings" in configChanges) {
    throw new UserError(`config.json ties the output to the embedding, but ${stored} is stored and differs`, {
      remedy: `it is used, as in Transformers 5: set tie_word_embeddings to false, or remove ${stored}`,
    });
  }
  if (headName(model) === stored) return "not tied: an output matrix of its own";
  const twice = stored !== undefined && stored !== storedNames.get(headName(model));
  return twice ? "tied, stored twice, both the same" : "tied, stored once";
}

/** What is wrong with the tensors is the business of another check. */
function unlessMistake(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
}

async function checkTokenizer(directory: string): Promise<string> {
  const text = await loadTextModel(directory);
  const { tokenizer, bosId } = text;
  const stopIds = await stopIdsOf(directory, text);
  const rows = (await readModelConfig(directory)).dims.vocabSize;
  if (tokenizer.vocabSize > rows) {
    throw new UserError(`the tokenizer has ids up to ${tokenizer.vocabSize - 1}, but the embedding has ${rows} rows`);
  }
  const foreign = stopIds.find((id) => id >= rows);
  if (foreign !== undefined) throw new UserError(`an end token is id ${foreign}, but the embedding has ${rows} rows`);
  const begin = bosId === undefined ? "no begin token" : `begins with ${bosId}`;
  return `${tokenizer.vocabSize} ids for ${rows} rows; ${begin}, ends with ${stopIds.join(", ")}`;
}
