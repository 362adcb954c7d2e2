/**
 * What a model directory is, as one hash: its configuration, its tokenizer and its weights, whatever the folder is called.
 * May not know: formats.
 */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { OnHashed } from "../engine/opened.js";
import { sha256, sha256File } from "../util/files.js";
import { knownSha256 } from "../util/fingerprint.js";
import { inputSize } from "../util/input.js";
import { modelDirectory } from "../util/model-directory.js";
import { decidesAnswers } from "../util/model-files.js";
import { requireModel } from "../util/model-kinds.js";

/**
 * sha256 over the names and the sha256 of the files that decide what a model says (`util/model-files.ts`), in order of their names. The rest
 * (README, run records, optimizer states) does not count. Reads the weights once.
 *
 * @throws UserError  the directory is none of a model
 */
export async function hashModel(model: string, onHashed?: OnHashed): Promise<string> {
  return hashModelIn(await requireModel(model, ["config", "weights"]), onHashed);
}

/** The same of a directory that was looked at before. */
export const hashModelIn = async (directory: string, onHashed?: OnHashed): Promise<string> =>
  hashFiles(directory, (await readdir(directory)).filter(decidesAnswers).sort(), onHashed);

/** The files of a model that decide what it says, which no result may replace; none where the directory is missing. */
export async function decidingFiles(model: string): Promise<string[]> {
  const directory = modelDirectory(model);
  const names = await readdir(directory).catch(() => []);
  return names.filter(decidesAnswers).map((name) => join(directory, name));
}

/**
 * sha256 over the names and the sha256 of all files of a folder, those in its folders included, in order of their names.
 * For folders that are read as a whole: an encoder, a set of tables.
 */
export async function hashFolder(directory: string, onHashed?: OnHashed): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return hashFiles(
    directory,
    files.sort().map((path) => relative(directory, path)),
    onHashed,
  );
}

/** Of a single file, its own. */
export async function hashFile(path: string, onHashed: OnHashed = () => {}): Promise<string> {
  const total = await inputSize(path);
  let done = 0;
  return sha256File(path, (bytes) => {
    done += bytes;
    onHashed(done, total);
  });
}

async function hashFiles(directory: string, names: readonly string[], onHashed: OnHashed = () => {}): Promise<string> {
  let total = 0;
  for (const name of names) total += await inputSize(join(directory, name));
  let done = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
    onHashed(done, total);
  };
  const lines: string[] = [];
  for (const name of names) lines.push(`${name} ${await knownSha256(join(directory, name), onBytes)}\n`);
  return sha256(lines.join(""));
}
