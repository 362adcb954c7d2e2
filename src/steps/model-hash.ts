/**
 * What a model directory is, as one hash: its configuration, its tokenizer and its weights, whatever the folder is called.
 * May not know: formats.
 */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { UserError } from "../util/errors.js";
import { sha256, sha256File } from "../util/files.js";
import { modelDirectory, NAME_A_MODEL } from "../util/model-directory.js";

/** Files that decide what a model says. The rest (README, run records, optimizer states) does not. */
const counts = (name: string): boolean =>
  name === "config.json" ||
  name === "tokenizer.json" ||
  name === "tokenizer_config.json" ||
  name.endsWith(".safetensors");

/**
 * sha256 over the names and the sha256 of those files, in order of their names. Reads the weights once.
 *
 * @throws UserError  the directory holds none of them
 */
export async function hashModel(model: string): Promise<string> {
  const directory = modelDirectory(model);
  const names = (await readdir(directory)).filter(counts).sort();
  if (!names.includes("config.json")) {
    throw new UserError(`${directory} has no config.json`, { remedy: NAME_A_MODEL });
  }
  const lines: string[] = [];
  for (const name of names) lines.push(`${name} ${await sha256File(join(directory, name))}\n`);
  return sha256(lines.join(""));
}

/**
 * sha256 over the names and the sha256 of all files of a folder, those in its folders included, in order of their names.
 * For folders that are read as a whole: an encoder, a set of tables.
 */
export async function hashFolder(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines: string[] = [];
  for (const path of files.sort()) lines.push(`${relative(directory, path)} ${await sha256File(path)}\n`);
  return sha256(lines.join(""));
}
