/**
 * Files that are whole or missing: written under a temporary name, flushed, then renamed.
 * May not know: what the bytes mean.
 */

import { createHash, randomBytes } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UserError, withPath } from "./errors.js";
import { inputChunks } from "./input.js";
import { option, words } from "./words.js";

/** A name beside `path` that no reader looks for. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${randomBytes(6).toString("hex")}.partial`);
}

/** Whether a file or folder of this name was under construction: what a killed process leaves. */
export const isPartial = (name: string): boolean => /^\..+\.partial$/.test(name);

/** Removes what killed processes were just writing. Only for who holds the folder's lock. */
export const removePartial = (folder: string): Promise<void> => removeNamed(folder, isPartial);

/** The same, or a lock: what a process has for itself while it is at work. */
export const isTrace = (name: string): boolean => isPartial(name) || /^\.(.+\.)?lock(\.\w+-\d+)?$/.test(name);

/** Removes all that killed processes left in a folder and below it. */
export const removeTraces = (folder: string): Promise<void> => removeNamed(folder, isTrace, true);

async function removeNamed(folder: string, matches: (name: string) => boolean, recursive = false): Promise<void> {
  if (!existsSync(folder)) return;
  for (const { name, parentPath } of await readdir(folder, { recursive, withFileTypes: true })) {
    if (matches(name)) await rm(join(parentPath, name), { recursive: true, force: true });
  }
}

/** Writes all of `data` under `path`, or nothing. */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const writer = await openAtomic(path);
  try {
    await writer.write(data);
    await writer.commit();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** A file under construction. Nothing is visible under the final name before `commit`. */
export interface AtomicWriter {
  write(data: string | Uint8Array): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/**
 * Makes a directory and those above it that are missing. Node's own `recursive` never ends where the system denies that a folder's
 * child can be there, as below /proc.
 *
 * @returns the directories that were missing, the innermost first
 * @throws UserError  a file stands there
 */
export async function makeDirectory(path: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.push(at);
  for (const one of missing.toReversed()) await mkdir(one).catch(unlessThere);
  if (!(await stat(path)).isDirectory())
    throw new UserError(`${path} is a file where a folder is needed`, { remedy: "name another path" });
  return missing;
}

/** Somebody else may have been faster. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

export async function openAtomic(path: string): Promise<AtomicWriter> {
  await makeDirectory(dirname(path));
  const temporary = temporaryName(path);
  const handle = await open(temporary, "wx");
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await handle.close();
    closed = true;
  };
  const told = (error: unknown): never => {
    throw withPath(error, path); // the system names no file where a write fails
  };
  return {
    async write(data) {
      await handle.writeFile(data).catch(told); // continues at the current position
    },
    async commit() {
      await handle.sync().catch(told);
      await close().catch(told);
      await rename(temporary, path);
    },
    async discard() {
      await close();
      await rm(temporary, { force: true });
    },
  };
}

export const alreadyExists = (path: string): UserError =>
  new UserError(`${path} already exists`, {
    remedy: words`pass ${option("force")} to replace it, or name another ${option("out")}`,
  });

/** Where a path leads behind all links, as far as something is there. */
export const realPath = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));

/** Refuses a result that would replace what it is made from, or another result; also behind a link. `--force` does not help. */
export function refuseSameFile(outputs: readonly string[], inputs: readonly string[]): void {
  const read = new Set(inputs.map(realPath));
  const written = new Set<string>();
  for (const path of outputs) {
    const real = realPath(path);
    if (read.has(real))
      throw new UserError(`${path} would replace an input`, { remedy: words`name another ${option("out")}` });
    if (written.has(real)) throw new UserError(`${path} is named for two outputs`, { remedy: "name another file" });
    written.add(real);
  }
}

/**
 * sha256 of a file, in hex, read as a stream.
 *
 * @param onBytes  told of every piece that has been read
 */
export async function sha256File(path: string, onBytes: (bytes: number) => void = () => {}): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of inputChunks(path)) {
    hash.update(chunk);
    onBytes(chunk.length);
  }
  return hash.digest("hex");
}

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Bytes of a file, or of all files below a folder. */
export async function bytesBelow(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  let total = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) total += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return total;
}
