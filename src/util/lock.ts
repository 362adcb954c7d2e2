/**
 * A folder that one process at a time works in. The lock is a file that names its process; where that process is gone, the lock is
 * taken over.
 * May not know: what the folder is for.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { UserError } from "./errors.js";
import { readJson } from "./json.js";

/** Bytes; what is larger was written by somebody else. */
const LARGEST_LOCK = 64 * 1024;
const BEING_WRITTEN_MS = 200;

export interface Lock {
  /** Its last holder died with it: what it was doing was cut off. */
  readonly takenOver: boolean;
  release(): Promise<void>;
}

/** Where the lock on a file lies. */
export const lockPathOf = (path: string): string => join(dirname(path), `.${basename(path)}.lock`);

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, where the system tells: numbers of processes come again. */
  readonly began: string | undefined;
  readonly token: string;
}

/**
 * @param path  the lock's file; its folder is there
 * @param what  what is locked, for the message
 * @throws UserError  another process holds it
 */
export async function acquireLock(path: string, what: string): Promise<Lock> {
  const mine = thisProcess();
  const held = !(await create(path, mine));
  if (held) await takeOver(path, mine, what);
  const claims = await claimsOn(path);
  for (const claim of claims) await rm(claim, { force: true });
  return {
    takenOver: held || claims.length > 0,
    async release() {
      if ((await holderOf(path))?.token === mine.token) await rm(path, { force: true });
    },
  };
}

const thisProcess = (): Holder => ({
  pid: process.pid,
  host: hostname(),
  began: beginningOf(process.pid),
  token: randomBytes(8).toString("hex"),
});

async function create(path: string, holder: Holder): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(holder), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    await rm(path, { force: true }); // a full disk keeps an empty file
    throw error;
  }
}

/** How often somebody who waits looks again. */
const WAITING_MS = 300;

/**
 * As `acquireLock`, but waits for whoever holds it.
 *
 * @param onWait  called once, where it has to wait
 */
export async function waitForLock(
  path: string,
  what: string,
  { signal, onWait }: { readonly signal?: AbortSignal | undefined; readonly onWait?: (() => void) | undefined } = {},
): Promise<Lock> {
  for (let told = false; ; told = true) {
    try {
      return await acquireLock(path, what);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
    if (!told) onWait?.();
    await setTimeout(WAITING_MS, undefined, { signal });
  }
}

/** Whether the process that wrote a file of this kind is at work. */
export async function isHeld(path: string): Promise<boolean> {
  const holder = await holderOf(path);
  return holder !== undefined && isAlive(holder);
}

/** A file that `isHeld` reads, which says that this process is at work. */
export const holding = (): string => JSON.stringify(thisProcess());

/** Whether somebody holds the lock, or died with it. */
export const isLocked = async (path: string): Promise<boolean> => existsSync(path) || (await claimsOn(path)).length > 0;

/**
 * Claims on a lock that was here (see `takeOver`). Whoever holds the lock may remove them: who makes such a claim now finds another lock
 * than the one it is named after, and gives up.
 */
async function claimsOn(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.`;
  if (!existsSync(dirname(path))) return [];
  const names = await readdir(dirname(path));
  return names
    .filter((name) => name.startsWith(prefix) && /^\w+-\d+$/.test(name.slice(prefix.length)))
    .map((name) => join(dirname(path), name));
}

/**
 * Of several that find the same dead holder, one makes the claim named after it and may remove its lock. A claimant that died while it
 * did so is followed by the next number, and its claim stays until one has come through: none is removed while others may look.
 */
async function takeOver(path: string, mine: Holder, what: string): Promise<void> {
  const found = await settledHolderOf(path);
  if (found !== undefined && isAlive(found)) throw busy(path, what, found);
  const claim = (n: number): string => `${path}.${found?.token ?? "damaged"}-${n}`;
  let claims = 0;
  while (!(await create(claim(claims), mine))) {
    const claimant = await settledHolderOf(claim(claims));
    if (claimant !== undefined && isAlive(claimant)) throw busy(path, what, claimant);
    claims++;
  }
  try {
    const still = await holderOf(path);
    if (still?.token !== found?.token) throw busy(path, what, still);
    await rm(path, { force: true });
    if (!(await create(path, mine))) throw busy(path, what, await holderOf(path));
  } finally {
    for (let n = 0; n <= claims; n++) await rm(claim(n), { force: true });
  }
}

/** A lock that cannot be read may be one that somebody is just writing. */
async function settledHolderOf(path: string): Promise<Holder | undefined> {
  const found = await holderOf(path);
  if (found !== undefined) return found;
  await setTimeout(BEING_WRITTEN_MS);
  return await holderOf(path);
}

function busy(path: string, what: string, holder: Holder | undefined): UserError {
  const who =
    holder === undefined
      ? "another process"
      : `process ${holder.pid}${holder.host === hostname() ? "" : ` on ${holder.host}`}`;
  return new UserError(`${what} is in use by ${who}`, {
    remedy: `wait for it to end, or remove ${path} if you know that it has`,
  });
}

/** Undefined where there is none, or where its writer was stopped while writing it. */
async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    const value = (await readJson(path, { most: LARGEST_LOCK })) as Partial<Holder> | null;
    const whole = typeof value?.pid === "number" && typeof value.host === "string" && typeof value.token === "string";
    return whole ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/** A process of another machine cannot be asked: it counts as alive. */
function isAlive({ pid, host, began }: Holder): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return began === beginningOf(pid);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // there, but somebody else's
  }
  // A zombie has ended, and waits for a parent to notice; in a container without an init nobody does.
  if (/^[ZX]/.test(statOf(pid)[0] ?? "")) return false;
  return began === undefined || began === beginningOf(pid);
}

/** Ticks since the machine was started: field 22. Undefined on other systems than Linux. */
const beginningOf = (pid: number): string | undefined => statOf(pid)[19];

/** /proc/PID/stat from its third field, the state, on (man 5 proc); empty on other systems. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before may hold spaces
  } catch {
    return [];
  }
}
