/**
 * Directories that are whole or not there: filled under a temporary name beside the final one, then renamed.
 * May not know: what is in them.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "./errors.js";
import { alreadyExists, makeDirectory } from "./files.js";
import { acquireLock, lockPathOf } from "./lock.js";
import { quoted, shorten } from "./terminal.js";

/** In a directory whose maker was killed before it could say that it is done. It is whole, and the same command makes it again. */
const UNFINISHED = ".unfinished";

export interface Replacing {
  readonly force: boolean;
  readonly marker: string;
  /** Whether the maker of such a directory writes this name into it: one with anything else in it is somebody's own. Default: all. */
  readonly owns?: (name: string) => boolean;
}

/**
 * Fills a new directory and puts it at `out`, one process at a time. On an error nothing is left behind and what was there stays.
 *
 * @param options.force    replace a directory that is there
 * @param options.marker   a file that a directory must hold to be replaced, so that `--force` with a wrong path cannot
 *                         delete somebody's folder
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
    await restoreReplaced(out, options.marker);
    const replaces = await checkReplaceable(out, options);
    const fresh = partialOf(out);
    await rm(fresh, { recursive: true, force: true }); // of a run that was killed
    await mkdir(fresh);
    try {
      await fill(fresh);
      await writeFile(join(fresh, UNFINISHED), "");
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
  await rm(join(out, UNFINISHED));
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
    if (code === "ENOTDIR") throw new UserError(`${out} is a file`, { remedy: "name a new directory with --out" });
    throw new UserError(`cannot write ${out}: ${code ?? String(error)}`, { remedy: "name another --out" });
  }
  if (names.length === 0 || names.includes(UNFINISHED)) return true;
  if (!options.force) throw alreadyExists(out);
  if (!names.includes(options.marker)) {
    throw new UserError(`${out} holds no ${options.marker}, so --force does not replace it`, {
      remedy: "remove it yourself, or name another --out",
    });
  }
  const stranger = names.find((name) => options.owns?.(name) === false);
  if (stranger !== undefined) {
    throw new UserError(
      `${out} holds ${quoted(shorten(stranger, 120))}, which is not Tacit's, so --force does not replace it`,
      {
        remedy: "move it away, or name another --out",
      },
    );
  }
  return true;
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
