/**
 * Directories that are whole or not there: filled under a temporary name beside the final one, then renamed.
 * May not know: what is in them.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "./errors.js";
import { alreadyExists, makeDirectory, temporaryName } from "./files.js";

/**
 * Fills a new directory and puts it at `out`. On an error nothing is left behind and what was there stays.
 *
 * @param options.force    replace a directory that is there
 * @param options.marker   a file that a directory must hold to be replaced, so that `--force` with a wrong path cannot
 *                         delete somebody's folder
 */
export async function writeDirectory(
  out: string,
  options: { readonly force: boolean; readonly marker: string },
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  const replaces = await checkReplaceable(out, options);
  await makeDirectory(dirname(out));
  const fresh = temporaryName(out);
  await mkdir(fresh);
  try {
    await fill(fresh);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  const old = waitingPlace(out);
  if (replaces) await rename(out, old);
  await rename(fresh, out);
  if (replaces) await rm(old, { recursive: true, force: true });
}

/** Whether something is there that may be replaced; an empty directory always may. Call it before long work as well. */
export async function checkReplaceable(
  out: string,
  options: { readonly force: boolean; readonly marker: string },
): Promise<boolean> {
  await mendReplacement(out, options.marker);
  let names: string[];
  try {
    names = await readdir(out);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return false;
    if (code === "ENOTDIR") throw new UserError(`${out} is a file`, { remedy: "name a new directory with --out" });
    throw new UserError(`cannot write ${out}: ${code ?? String(error)}`, { remedy: "name another --out" });
  }
  if (names.length === 0) return true;
  if (!options.force) {
    throw alreadyExists(out);
  }
  if (!names.includes(options.marker)) {
    throw new UserError(`${out} holds no ${options.marker}, so --force does not replace it`, {
      remedy: "remove it yourself, or name another --out",
    });
  }
  return true;
}

/** Where the old directory stands between the two renames of a replacement: a name that the next run finds. */
function waitingPlace(out: string): string {
  const path = resolve(out);
  return join(dirname(path), `.${basename(path)}.replaced`);
}

/** After a replacement that was killed between its renames the old directory takes its place again; after both it goes. */
async function mendReplacement(out: string, marker: string): Promise<void> {
  const old = waitingPlace(out);
  if (!existsSync(join(old, marker))) return;
  if (!existsSync(out)) await rename(old, out);
  else if (existsSync(join(out, marker))) await rm(old, { recursive: true, force: true });
}
