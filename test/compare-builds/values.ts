/**
 * What two builds left in their folders, compared byte for byte but for the differences that are listed here with their reason.
 * May not know: what was run.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { withoutValues } from "./json-spans.js";

/** A difference that is allowed. */
export interface Allowed {
  readonly why: string;
  /** Default: every file. */
  readonly files?: RegExp;
  /** JSON values: the last keys down to them, as `results.sha256`. */
  readonly keys?: readonly string[];
  /** Other text. */
  readonly text?: RegExp;
}

export const allowed: readonly Allowed[] = [
  {
    why: "how long it took, and when",
    keys: ["timings", "seconds", "tokens_per_second", "finished", "started", "time", "at", "ms"],
  },
  {
    why: "how much memory the process took, and what the machine has",
    keys: ["peak_memory_bytes", "diskFree"],
  },
  {
    why: "hashes and sizes of files of which some tell times; each file is compared for itself",
    files: /(^|\/)step\.json$/,
    keys: ["results.sha256", "results.bytes"],
  },
  {
    why: "keys cover all files of the model, engine, precision, threads, device and version",
    files: /(^|\/)(scores|cache|embeddings\/\w+)\.jsonl$/,
    keys: ["key"],
  },
  {
    why: "as keys: the fingerprint of a tuning run",
    files: /(^|\/)(tune-[^/]+|model)\/run\.json$|(^|\/)stdout$/,
    keys: ["fingerprint"],
  },
  { why: "when the model was made", files: /\.md$/, text: /^\| time \|.*$|Finished \d{4}-[\dT:.-]+Z/gm },
];

/** How the work fell to attempts: of no matter where a run was killed on the way. */
export const effort: readonly Allowed[] = [
  { why: "how the work fell to attempts", keys: ["computed", "reused", "scored", "spent", "asked", "resumed"] },
];

/** Of each value's path below a folder: its text where it is text, else its bytes. */
export type Tree = ReadonlyMap<string, Buffer>;

/** Left out: events (they tell times), folders for temporary files, and locks, which a process that is killed leaves. */
export const leftOut = /(^|\/)(events\.jsonl|tmp|\.[^/]*lock)(\/|$)/;

/**
 * Files below a folder as they are compared.
 *
 * @param same  texts that name one thing in both builds, and what stands for them
 * @param more  allowed differences beside those that always are
 */
export function treeOf(
  folder: string,
  same: readonly (readonly [string, string])[] = [],
  more: readonly Allowed[] = [],
): Tree {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => !leftOut.test(name));
  const keys = stepKeys(folder, names);
  const named = (text: string): string =>
    [...same, ...keys].reduce((result, [from, to]) => result.replaceAll(from, to), text);
  const tree = new Map<string, Buffer>();
  for (const name of names.sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) continue;
    tree.set(named(name), comparedAs(name, readFileSync(path), named, more));
  }
  return tree;
}

const isText = /\.(jsonl?|ya?ml|md|html|csv|svg|txt)$|(^|\/)(stdout|requests)$/;

export function comparedAs(
  name: string,
  bytes: Buffer,
  named: (text: string) => string = (text) => text,
  more: readonly Allowed[] = [],
): Buffer {
  if (!isText.test(name)) return bytes;
  const mine = [...allowed, ...more].filter(({ files }) => files === undefined || files.test(name));
  const omitted = mine.flatMap(({ keys }) => keys ?? []);
  const patterns = mine.flatMap(({ text }) => text ?? []);
  let text = bytes.toString("utf8");
  if (/\.jsonl?$|^stdout$|\/stdout$/.test(name))
    text = withoutValues(text, (path) => omitted.some((key) => `.${path.join(".")}`.endsWith(`.${key}`)));
  for (const pattern of patterns) text = text.replaceAll(pattern, "<text>");
  return Buffer.from(named(text));
}

/** Keys of a study's steps, and what their folders are named after: which steps there are is compared by their ids. */
function stepKeys(folder: string, names: readonly string[]): [string, string][] {
  return names
    .filter((name) => /(^|\/)results\.json$/.test(name))
    .flatMap((name) => {
      const { steps } = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
        readonly steps?: readonly { readonly id: string; readonly key: string; readonly folder: string }[];
      };
      return (steps ?? []).flatMap(({ id, key, folder: own }): [string, string][] => [
        [key, `<key of ${id}>`],
        [own, `steps/<${id.replaceAll("/", "+")}>`],
      ]);
    });
}

/** One line a difference, none where all is equal. */
export function differences(old: Tree, now: Tree, atMost = 6): string[] {
  const lines: string[] = [];
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [before, after] = [old.get(name), now.get(name)];
    if (before === undefined) lines.push(`${name}: only the new build leaves it`);
    else if (after === undefined) lines.push(`${name}: the new build does not leave it`);
    else if (!before.equals(after)) lines.push(...inFile(name, before, after, atMost));
  }
  return lines;
}

function inFile(name: string, old: Buffer, now: Buffer, atMost: number): string[] {
  const lines = isText.test(name) ? linesBetween(old.toString("utf8"), now.toString("utf8")) : bytesBetween(old, now);
  const more = lines.length - atMost;
  return [...lines.slice(0, atMost), ...(more > 0 ? [`and ${more} more`] : [])].map((line) => `${name}: ${line}`);
}

function bytesBetween(old: Buffer, now: Buffer): string[] {
  const at = old.findIndex((byte, i) => byte !== now[i]);
  return [`${old.length} and ${now.length} bytes, the first that differs is ${at === -1 ? old.length : at}`];
}

/** Lines of one that the other lacks, in order, side by side. */
function linesBetween(old: string, now: string): string[] {
  const [before, after] = [old.split("\n"), now.split("\n")];
  const [inOld, inNow] = [new Set(before), new Set(after)];
  const gone = before.filter((line) => !inNow.has(line));
  const come = after.filter((line) => !inOld.has(line));
  if (gone.length + come.length === 0) return ["the same lines in another order or number"];
  return Array.from({ length: Math.max(gone.length, come.length) }, (_, i) => apart(gone[i], come[i]));
}

/** Two lines from a little before where they part. */
function apart(old: string | undefined, now: string | undefined): string {
  if (old === undefined || now === undefined) return `${shown(old)} → ${shown(now)}`;
  const length = Math.max(old.length, now.length);
  let at = 0;
  while (at < length && old[at] === now[at]) at++;
  const from = old.length < 120 && now.length < 120 ? 0 : Math.max(0, at - 40);
  return `${shown(old.slice(from))} → ${shown(now.slice(from))}`;
}

const shown = (line: string | undefined): string =>
  line === undefined ? "nothing" : `\`${line.trim().slice(0, 160)}\``;
