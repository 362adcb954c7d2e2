/**
 * What this machine really lets the process have: cores, memory and disk, control groups (containers) included.
 * Also where the package itself lies. May not know: what for.
 */
import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { invariant } from "./errors.js";

/** The text of a small system file, or undefined where there is none. */
export type ReadText = (path: string) => string | undefined;

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // absent or unreadable: that system does not set this limit
  }
};

/** Cores that this process may keep busy: its affinity, and the control group's quota rounded up. */
export function availableCores(read: ReadText = readText, affinity = availableParallelism()): number {
  const quotas = groupFolders(read, "cpu").flatMap((folder) => quotaOf(folder, read) ?? []);
  return Math.max(1, Math.min(affinity, ...quotas.map(Math.ceil)));
}

function quotaOf(folder: string, read: ReadText): number | undefined {
  const [max, period] = (read(`${folder}/cpu.max`) ?? "").trim().split(" ").map(Number); // version 2: "200000 100000" or "max 100000"
  if (max !== undefined && period !== undefined && max > 0 && period > 0) return max / period;
  const quota = Number(read(`${folder}/cpu.cfs_quota_us`) ?? -1); // version 1: -1 where there is none
  const cycle = Number(read(`${folder}/cpu.cfs_period_us`) ?? 0);
  return quota > 0 && cycle > 0 ? quota / cycle : undefined;
}

export interface Memory {
  /** Bytes that this process could ever have. */
  readonly total: number;
  /** Bytes that it can have now without others being pushed out; file cache counts as free. */
  readonly free: number;
  /** Which limit binds. */
  readonly limit: "machine" | "control group";
}

export function availableMemory(
  read: ReadText = readText,
  machine: { total: number; free: number } = { total: totalmem(), free: freemem() }, // freemem is MemAvailable on Linux
): Memory {
  let result: Memory = { ...machine, limit: "machine" };
  for (const folder of groupFolders(read, "memory")) {
    const group = memoryOf(folder, read);
    if (group === undefined || group.total >= machine.total) continue;
    // A group's free bytes bind even where a smaller limit stands further in: its other members take of them.
    const free = Math.min(result.free, group.free);
    result = { total: Math.min(result.total, group.total), free, limit: "control group" };
  }
  return result;
}

/** The most memory that this process has held, in bytes. What Node tells includes, on Linux, what the process that started this one held. */
export function peakMemory(read: ReadText = readText): number {
  const held = /^VmHWM:\s*(\d+) kB$/m.exec(read("/proc/self/status") ?? "")?.[1];
  return 1024 * (held === undefined ? process.resourceUsage().maxRSS : Number(held));
}

function memoryOf(folder: string, read: ReadText): { total: number; free: number } | undefined {
  const total = bytes(read(`${folder}/memory.max`) ?? read(`${folder}/memory.limit_in_bytes`));
  const used = bytes(read(`${folder}/memory.current`) ?? read(`${folder}/memory.usage_in_bytes`));
  if (total === undefined || used === undefined) return undefined;
  const stat = read(`${folder}/memory.stat`) ?? "";
  const cache = bytes(/^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1]) ?? 0; // given back when somebody asks
  return { total, free: Math.max(0, total - used + cache) };
}

function bytes(text: string | undefined): number | undefined {
  const value = Number(text?.trim() || Number.NaN); // "max" is NaN, too: no limit
  return Number.isFinite(value) ? value : undefined;
}

/**
 * The folders of this process's control group and of all groups above it, innermost first. Version 2 has one tree, version 1
 * one per controller. Inside a container the group's own path is often not visible; its root, mounted in its place, is.
 *
 * @see man 7 cgroups, "/proc/pid/cgroup"
 */
function groupFolders(read: ReadText, controller: "cpu" | "memory"): string[] {
  const folders = new Set<string>();
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers !== "" && !controllers.split(",").includes(controller)) continue;
    const root = controllers === "" ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controller}`;
    for (let at = path; at !== "/"; at = dirname(at)) folders.add(root + at);
    folders.add(root);
  }
  return [...folders];
}

/** Bytes that this user can still write where `path` is or would be. */
export async function freeDisk(path: string): Promise<number> {
  let folder = resolve(path);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The folder of this package: the same in the checkout, in a build and where it is installed. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if (readText(join(folder, "package.json"))?.includes('"name": "tacit-lm"')) return folder;
    const parent = dirname(folder);
    invariant(parent !== folder, "no package.json of tacit-lm above its own files");
    folder = parent;
  }
}

/** The version in the package's own `package.json`. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  return version;
}

/** As records have it, to the millisecond. @param started  of `performance.now()` */
export const secondsSince = (started: number): number => Number(((performance.now() - started) / 1000).toFixed(3));
