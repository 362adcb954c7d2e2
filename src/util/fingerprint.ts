/**
 * What the files of a folder were when they were written: size and sha256 of each, and whether they still are.
 * May not know: what the files mean.
 */
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { sha256File } from "./files.js";

export interface Fingerprint {
  /** From the folder, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Of all files below a folder, in order of their paths. Hidden ones are locks and what is being written. */
export async function fingerprintsOf(
  folder: string,
  counts: (path: string) => boolean = () => true,
): Promise<Fingerprint[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith("."));
  const paths = files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
  const prints: Fingerprint[] = [];
  for (const path of paths.filter(counts).sort()) {
    const place = join(folder, path);
    prints.push({ path, bytes: (await stat(place)).size, sha256: await sha256File(place) });
  }
  return prints;
}

export interface Change {
  readonly path: string;
  readonly what: "missing" | "changed";
}

/**
 * The first file that is not what it was, or undefined. Sizes are looked at first: they cost nothing.
 *
 * @param hashed  which files are read as well
 */
export async function firstChange(
  folder: string,
  prints: readonly Fingerprint[],
  hashed: (print: Fingerprint) => boolean,
): Promise<Change | undefined> {
  for (const { path, bytes } of prints) {
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (found?.isFile() !== true) return { path, what: "missing" };
    if (found.size !== bytes) return { path, what: "changed" };
  }
  for (const print of prints.filter(hashed)) {
    if ((await sha256File(join(folder, print.path))) !== print.sha256) return { path: print.path, what: "changed" };
  }
  return undefined;
}
