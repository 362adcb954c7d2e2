/** The files below a folder, as what of them must come out the same whatever happened on the way. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { EVENTS_FILE } from "../../src/records/events.js";

/** Times, memory, and how the work fell to attempts. */
const EFFORT = new Set([
  ...["timings", "seconds", "tokens_per_second", "peak_memory_bytes", "finished", "started", "time", "at", "ms"],
  ...["computed", "reused", "scored", "spent", "asked"],
]);

/** What a model's card says of when and how fast it was made. */
const CARD_TIMES = /^\| time \|.*$|Finished \d{4}-[\dT:.-]+Z/gm;

export type Tree = ReadonlyMap<string, string>;

/** Path below the folder → hash of the content without effort. A folder without anything in it is an entry as well. */
export function treeOf(folder: string): Tree {
  if (!existsSync(folder)) return new Map();
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const entries = all.filter((entry) => entry !== "tmp" && basename(entry) !== EVENTS_FILE); // no two runs say the same
  const tree = new Map<string, string>();
  for (const entry of entries) {
    const path = join(folder, entry);
    if (!statSync(path).isDirectory()) tree.set(entry, hash(contentOf(path)));
    else if (readdirSync(path).length === 0) tree.set(`${entry}/`, "");
  }
  return tree;
}

const hash = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** A step's record has the hashes of its files, of which some tell times: each file is compared for itself. */
const withoutHashes = (key: string, value: unknown): unknown =>
  key === "results" && Array.isArray(value) ? value.map(({ path }: { path: string }) => path) : value;

function contentOf(path: string): string | Uint8Array {
  const bytes = readFileSync(path);
  if (path.endsWith(".md")) return bytes.toString("utf8").replaceAll(CARD_TIMES, "");
  if (!/\.jsonl?$/.test(path)) return bytes;
  try {
    return withoutEffort(bytes.toString("utf8").replaceAll(/chatcmpl-\d+/g, "chatcmpl")); // a server counts its replies
  } catch {
    return bytes; // half a file: as it is
  }
}

/** One JSON value, or a line each. */
function withoutEffort(text: string): string {
  const bare = (json: string): string =>
    JSON.stringify(JSON.parse(json), (key, value: unknown) =>
      EFFORT.has(key) ? undefined : withoutHashes(key, value),
    );
  const values = /^\s*[[{][^\n]*[\]}]\n/.test(text) ? text.split("\n").filter((line) => line !== "") : [text];
  return values.map(bare).join("\n");
}

export interface Difference {
  readonly missing: readonly string[];
  readonly left: readonly string[];
  readonly changed: readonly string[];
}

export function difference(wanted: Tree, found: Tree): Difference {
  const left = [...found.keys()].filter((path) => !wanted.has(path));
  const missing = [...wanted.keys()].filter((path) => !found.has(path));
  const changed = [...wanted].filter(([path, content]) => found.has(path) && found.get(path) !== content);
  return { left, missing, changed: changed.map(([path]) => path) };
}
