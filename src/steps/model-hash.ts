/**
 * What a model directory is, as one hash: its configuration, its tokenizer and its weights, whatever the folder is called.
 * May not know: formats.
 */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { sha256, sha256File } from "../util/files.js";
import { decidesAnswers } from "../util/model-files.js";
import { requireModel } from "../util/model-kinds.js";

/**
 * sha256 over the names and the sha256 of the files that decide what a model says (`util/model-files.ts`), in order of their names. The rest
 * (README, run records, optimizer states) does not count. Reads the weights once.
 *
 * @throws UserError  the directory is none of a model
 */
export async function hashModel(model: string): Promise<string> {
  const directory = await requireModel(model, ["config", "weights"]);
  const lines: string[] = [];
  for (const name of (await readdir(directory)).filter(decidesAnswers).sort()) {
    lines.push(`${name} ${await sha256File(join(directory, name))}\n`);
  }
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
