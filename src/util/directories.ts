/**
 * Directories that are whole or missing: filled under a temporary name beside the final one, then renamed.
 * May not know: what is in them.
 */

import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { invariant, UserError } from "./errors.js";
import { alreadyExists, isTrace, makeDirectory } from "./files.js";
import { readInput } from "./input.js";
import { acquireLock, holding, isHeld, lockPathOf } from "./lock.js";
import { quoted, shorten } from "./terminal.js";
import { option, words } from "./words.js";

/**
 * In a directory until its maker is done, whose process it names. Where that was killed the directory is whole all the same, and the same
 * command makes it again.
 */
const UNFINISHED = ".unfinished";

/**
 * Whether the maker of a directory writes a file of this path below it; with forward slashes. A folder in which nothing lies ends in one.
 * What nobody owns is somebody's own, and never removed.
 */
export type Owns = (path: string) => boolean;

export interface Replacing {
  readonly force: boolean;
  /** The file that says by what it holds that a directory is of this maker: `--force` with a wrong path cannot delete somebody's folder. */
  readonly marker: { readonly name: string; readonly isOurs: (text: string) => boolean };
  readonly owns: Owns;
}

/**
 * Fills a new directory and puts it at `out`, one process at a time. On an error nothing is left behind and what was there stays.
 *
 * @param options.force  replace a directory that is there, if its marker says whose it is and nothing of anybody else's lies below it
 * @throws UserError  something is there that may not be replaced, or another process makes this directory
 */
export async function writeDirectory(
  out: string,
  options: Replacing,
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  await checkReplaceable(out, options); // before anything is made or locked
  const made = await makeDirectory(dirname(resolve(out)));
  const lock = await acquireLock(lockPathOf(resolve(out)), out);
  try {
    await restoreReplaced(out, options.marker.name);
    const replaces = await checkReplaceable(out, options);
    const fresh = partialOf(out);
    await rm(fresh, { recursive: true, force: true }); // of a run that was killed
    await mkdir(fresh);
    try {
      await fill(fresh);
      const unknown = await strangerIn(fresh, options.owns);
      invariant(unknown === undefined, `${unknown} is written, but would not be replaced`);
      await writeFile(join(fresh, UNFINISHED), holding());
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      throw error;
    }
    const old = waitingPlace(out);
    if (replaces) await rename(out, old);
    await rename(fresh, out);
    if (replaces) await rm(old, { recursive: true, force: true });
  } catch (error) {
    await lock.release();
    for (const folder of made) await rmdir(folder).catch(() => {}); // not empty: somebody else's by now
    throw error;
  }
  await lock.release();
  await rm(join(out, UNFINISHED), { force: true });
}

/** Removes a directory that may be replaced: first from its name, so that a kill leaves no half of it there. */
export async function removeDirectory(out: string): Promise<void> {
  const leaving = partialOf(out);
  await rm(leaving, { recursive: true, force: true }); // of a removal that was killed
  if (!existsSync(out)) return;
  await rename(out, leaving);
  await rm(leaving, { recursive: true, force: true });
}

/** The same for every run, so that the next removes what a killed one left. */
const partialOf = (out: string): string => hidden(out, "partial");

/** Whether something is there that may be replaced; an empty directory always may. Call it before long work as well. */
export async function checkReplaceable(out: string, options: Replacing): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(out);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return false;
    if (code === "ENOTDIR")
      throw new UserError(`${out} is a file`, { remedy: words`name a new directory with ${option("out")}` });
    throw new UserError(`cannot write ${out}: ${code ?? String(error)}`, {
      remedy: words`name another ${option("out")}`,
    });
  }
  if (names.length === 0) return true;
  if (!names.includes(UNFINISHED) || (await isHeld(join(out, UNFINISHED)))) {
    if (!options.force) throw alreadyExists(out);
    await checkMarker(out, options.marker);
  }
  await refuseStrangers(out, options.owns);
  return true;
}

/** Largest file that is read to see whose a directory is. */
const LARGEST_MARKER = 256 * 2 ** 20;

async function checkMarker(out: string, { name, isOurs }: Replacing["marker"]): Promise<void> {
  const path = join(out, name);
  const found = await stat(path).catch(() => undefined);
  const ours =
    found?.isFile() === true &&
    found.size <= LARGEST_MARKER &&
    isOurs(new TextDecoder().decode(await readInput(path, { most: LARGEST_MARKER })));
  if (ours) return;
  throw new UserError(
    words`${out} holds no ${name}${found === undefined ? "" : " that was written here"}, so ${option("force")} does not replace it`,
    { remedy: words`remove it yourself, or name another ${option("out")}` },
  );
}

/** @throws UserError  something below the directory is somebody's own */
export async function refuseStrangers(directory: string, owns: Owns): Promise<void> {
  const stranger = await strangerIn(directory, owns);
  if (stranger === undefined) return;
  throw new UserError(
    `${directory} holds ${quoted(shorten(stranger, 120))}, which is not Tacit's, so it is neither replaced nor removed`,
    { remedy: words`move it away, or name another ${option("out")}` },
  );
}

async function strangerIn(directory: string, owns: Owns): Promise<string | undefined> {
  return (await pathsBelow(directory)).find((path) => !isOwned(path, owns));
}

/** What a process has for itself while it is at work, and leaves where it is killed, is whoever's the rest is. */
const isOwned = (path: string, owns: Owns): boolean =>
  path.split("/").some((name) => isTrace(name) || name === UNFINISHED) || owns(path);

/** Removes what is owned, with the folders that then are empty: strangers stay where they are. */
export async function removeOwned(directory: string, owns: Owns): Promise<void> {
  if (!existsSync(directory)) return;
  const stranger = await strangerIn(directory, owns);
  if (stranger === undefined) return rm(directory, { recursive: true });
  for (const path of await pathsBelow(directory)) {
    if (isOwned(path, owns)) await rm(join(directory, path), { recursive: true });
  }
  const folders = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const folder of folders.sort().reverse()) await rmdir(folder).catch(() => {}); // not empty
}

/** All that is no folder, and folders that are empty; links are not followed. */
async function pathsBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const full = new Set(entries.map(({ parentPath }) => parentPath));
  return entries
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .filter(({ entry, path }) => !entry.isDirectory() || !full.has(path))
    .map(({ entry, path }) => relative(directory, path).split(sep).join("/") + (entry.isDirectory() ? "/" : ""))
    .sort();
}

/** Where the old directory stands between the two renames of a replacement: a name that the next run finds. */
const waitingPlace = (out: string): string => hidden(out, "replaced");

function hidden(out: string, why: string): string {
  const path = resolve(out);
  return join(dirname(path), `.${basename(path)}.${why}`);
}

/** After a replacement that was killed between its renames the old directory takes its place again; after both it goes. */
async function restoreReplaced(out: string, marker: string): Promise<void> {
  const old = waitingPlace(out);
  if (!existsSync(join(old, marker))) return;
  if (!existsSync(out)) await rename(old, out);
  else if (existsSync(join(out, marker))) await rm(old, { recursive: true, force: true });
}
