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
    prints.push({ path, bytes: (await stat(place)).size, sha256: await knownSha256(place) });
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
 * @param hashed   which files are read as well
 * @param onBytes  told of what is read
 */
export async function firstChange(
  folder: string,
  prints: readonly Fingerprint[],
  hashed: (print: Fingerprint) => boolean,
  onBytes?: (bytes: number) => void,
): Promise<Change | undefined> {
  for (const { path, bytes } of prints) {
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (found?.isFile() !== true) return { path, what: "missing" };
    if (found.size !== bytes) return { path, what: "changed" };
  }
  for (const print of prints.filter(hashed)) {
    if ((await knownSha256(join(folder, print.path), onBytes)) !== print.sha256)
      return { path: print.path, what: "changed" };
  }
  return undefined;
}

/** What files were found to be, by all that the system says of them: a run looks at the same weights several times. */
const known = new Map<string, string>();
/** A file that was written just before it is read may be written again without a sign: the clocks of file systems are coarse. */
const SETTLED_MS = 2000;

/** The sha256 of a file, read again only where the system says that it may have changed. */
export async function knownSha256(path: string, onBytes?: (bytes: number) => void): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const state = [path, dev, ino, size, mtimeNs, ctimeNs].join("\0");
  const before = known.get(state);
  if (before !== undefined) {
    onBytes?.(Number(size));
    return before;
  }
  const settled = Date.now() - Number(ctimeNs / 1_000_000n) > SETTLED_MS;
  const hash = await sha256File(path, onBytes);
  const now = await stat(path, { bigint: true });
  if (settled && now.mtimeNs === mtimeNs && now.ctimeNs === ctimeNs) known.set(state, hash);
  return hash;
}
