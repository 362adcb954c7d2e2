/**
 * Whether what people pass as a model is one, as far as names and first bytes tell: every command that takes a model asks here, before
 * anything is read at length.
 * May not know: model families, formats beyond their names and first bytes.
 */
import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./errors.js";
import { openInput, readInput } from "./input.js";
import { jsonObject, parseJsonBytes, readJson } from "./json.js";
import { modelDirectory, NAME_A_MODEL } from "./model-directory.js";
import { CONFIG, decidesAnswers, TOKENIZER, WEIGHTS, WEIGHTS_INDEX } from "./model-files.js";
import {
  ADAPTER,
  type Folder,
  type Found,
  isPointer,
  type Json,
  type Part,
  POINTED,
  type Said,
  saidOf,
  shown,
} from "./model-mistakes.js";

const PARTS: Readonly<Record<Part, readonly string[]>> = {
  config: [CONFIG],
  tokenizer: [TOKENIZER],
  weights: [WEIGHTS, WEIGHTS_INDEX],
};

/**
 * The directory of `named`, a path or `glasshouse`, which holds `parts` and is nothing that would be misread.
 *
 * @throws UserError  it is something else: what, and what to do
 */
export async function requireModel(named: string, parts: readonly Part[]): Promise<string> {
  return (await requireFolder(named, parts)).path;
}

/** As `requireModel`, for parts with `config` among them, and what `config.json` says, which is read once. */
export async function requireConfig(
  named: string,
  parts: readonly Part[],
): Promise<{ readonly directory: string; readonly config: unknown }> {
  const { path, config } = await requireFolder(named, parts);
  const file = join(path, CONFIG);
  return { directory: path, config: config === undefined ? await readJson(file) : parseJsonBytes(config, file) };
}

/** A folder, and the bytes of its `config.json` where they are few. */
async function requireFolder(named: string, parts: readonly Part[]) {
  const path = modelDirectory(named);
  const found = await lookAt(path);
  const lacking =
    found.kind === "folder" ? parts.find((part) => !PARTS[part].some((name) => found.names.has(name))) : "config";
  await refuseKnown(path, found, lacking);
  if (lacking !== undefined) throw missing(path, PARTS[lacking].join(" or "));
  return { path, config: found.kind === "folder" ? found.configBytes : undefined };
}

/** For a directory in which weights were looked for and not found. */
export async function refuseNoWeights(path: string): Promise<never> {
  await refuseKnown(path, await lookAt(path), "weights");
  throw missing(path, PARTS.weights.join(" or "));
}

const missing = (path: string, what: string): UserError =>
  new UserError(`${shown(path)} has no ${what}`, { remedy: NAME_A_MODEL });

/** @throws UserError  the bytes are a pointer of Git LFS */
export function refusePointer(path: string, start: Uint8Array): void {
  if (isPointer(start)) throw pointerError(path);
}

const pointerError = (path: string): UserError => errorOf(path, POINTED);
const errorOf = (path: string, [what, remedy]: Said): UserError => new UserError(`${shown(path)} ${what}`, { remedy });

const FIRST_BYTES = 64;

async function lookAt(path: string): Promise<Found> {
  const status = statusOf(path);
  if (status === undefined) return { kind: "nothing", path };
  if (!status.isDirectory())
    return { kind: "file", path, start: status.isFile() ? await firstBytes(path) : new Uint8Array(0) };
  const entries = readdirSync(path, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const names = new Set(entries.map(({ name }) => name));
  const configBytes = await smallFile(path, CONFIG);
  const [config, adapter] = [objectIn(configBytes), objectIn(await smallFile(path, ADAPTER))];
  return { kind: "folder", path, names, folders: folders.sort(), config, adapter, configBytes };
}

/** Undefined where nothing is. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error); // too long for a name, a loop of links, no permission
    throw new UserError(`${shown(path)} cannot be read: ${code}`, { remedy: NAME_A_MODEL, cause: error });
  }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const handle = await openInput(path);
  try {
    const bytes = new Uint8Array(FIRST_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, FIRST_BYTES, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function refuseKnown(path: string, found: Found, lacking: Part | undefined): Promise<void> {
  const said = saidOf(found, lacking);
  if (said !== undefined) throw errorOf(path, said);
  const pointer = found.kind === "folder" ? await pointerIn(found) : undefined;
  if (pointer !== undefined) throw pointerError(pointer);
}

/** The first file that decides answers and is only a pointer to what it should be. */
async function pointerIn({ path, names, configBytes }: Folder): Promise<string | undefined> {
  for (const name of [...names].filter(decidesAnswers)) {
    const file = join(path, name);
    const status = statSync(file, { throwIfNoEntry: false });
    if (status?.isFile() !== true || status.size > LARGEST_POINTER) continue;
    if (isPointer(name === CONFIG && configBytes !== undefined ? configBytes : await firstBytes(file))) return file;
  }
  return undefined;
}

/** Bytes of a pointer at most (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). */
const LARGEST_POINTER = 1024;

/** Largest file that is looked into for a word of what it is. */
const SMALL_FILE = 1 << 20;

async function smallFile(folder: string, name: string): Promise<Uint8Array | undefined> {
  const path = join(folder, name);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size > SMALL_FILE) return undefined;
  return readInput(path, { most: SMALL_FILE });
}

/** A JSON object, or undefined where there is none: whoever reads the file in earnest says what is wrong with it. */
const objectIn = (bytes: Uint8Array | undefined): Json | undefined =>
  bytes === undefined ? undefined : jsonObject(new TextDecoder().decode(bytes));
