/**
 * Directories that are whole or not there: filled under a temporary name beside the final one, then renamed.
 * May not know: what is in them.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "./errors.js";
import { temporaryName } from "./files.js";

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
  await mkdir(dirname(out), { recursive: true });
  const fresh = temporaryName(out);
  await mkdir(fresh);
  try {
    await fill(fresh);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  const old = temporaryName(out);
  if (replaces) await rename(out, old);
  await rename(fresh, out);
  if (replaces) await rm(old, { recursive: true, force: true });
}

/** Whether something is there that may be replaced; an empty directory always may. Call it before long work as well. */
export async function checkReplaceable(
  out: string,
  options: { readonly force: boolean; readonly marker: string },
): Promise<boolean> {
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
    throw new UserError(`${out} exists already`, { remedy: "pass --force to replace it, or name another --out" });
  }
  if (!names.includes(options.marker)) {
    throw new UserError(`${out} holds no ${options.marker}, so --force does not replace it`, {
      remedy: "remove it yourself, or name another --out",
    });
  }
  return true;
}
