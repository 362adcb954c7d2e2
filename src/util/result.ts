/**
 * The files of one result. They become visible together, the main one first; one process at a time makes them; and what a stopped run had
 * finished lies in a ledger beside them, from which the same call resumes.
 *
 *   .MAIN.lock               held while the result is made; where its process has died, a run was cut off
 *   .NAME.DIGITS.partial     a file under construction
 *   the ledger, if any        finished work, a line each; removed last of all, so that it marks a result that is not finished (but where it
 *                             was paid for: then it outlives the result)
 *
 * May not know: what the files hold.
 */
import { existsSync } from "node:fs";
import { open, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { invariant, withPath } from "./errors.js";
import { alreadyExists, makeDirectory, refuseSameFile, sha256, sha256File } from "./files.js";
import { openGrowingLedger, openLedger } from "./ledger.js";
import { acquireLock, isLocked, type Lock, lockPathOf } from "./lock.js";

export interface ResultPlan {
  /** The result is there when this file is. The same work gives the same bytes: no times, no counts of what was reused. */
  readonly main: string;
  /** Visible just after `main`: where one is and `main` is not, it belongs to somebody else. */
  readonly beside: readonly string[];
  /** Of finished work that would be costly to do again. */
  readonly ledger?: string;
  /** Files that are read: never replaced, whatever `force` says. */
  readonly inputs: readonly string[];
  /** Replace a result that is there. A run that was not finished is resumed all the same. */
  readonly force: boolean;
  /** In place of `force`, asked under the lock: a result that is there is made again, unless this throws because it is of other work. */
  readonly refuseOther?: () => Promise<void>;
}

/** Finished work by the hash of everything that decides it. */
export interface Finished<Line extends { readonly key: string }> {
  get(key: string): Line | undefined;
  /** On disk when it returns. */
  add(line: Line): Promise<void>;
  /** Lines that are known under the wanted keys. */
  size(): number;
  /** Lines that earlier runs left under other keys than the wanted ones. */
  readonly others: number;
}

export interface Result extends AsyncDisposable {
  /**
   * What earlier runs finished, and where this one adds to it.
   *
   * @param wanted  lines under other keys are left alone; without: none is
   * @throws UserError  a result of other work is there, or the ledger is damaged
   */
  finished<Line extends { readonly key: string }>(
    parse: (value: unknown) => Line,
    wanted?: readonly string[],
  ): Promise<Finished<Line>>;
  /**
   * In place of `finished`, for lines that may have grown beyond memory and were paid for: they pass by once, and what is added is flushed.
   *
   * @param visit  takes each finished line; throws with the reason where it is not what it should be
   * @throws UserError  as `finished`
   */
  ledger<Line>(visit: (value: unknown) => void): Promise<{ append(line: Line): Promise<void> }>;
  /** Writes one of the planned files, not yet visible. */
  write(path: string, pieces: string | Iterable<string> | AsyncIterable<string>): Promise<void>;
  /**
   * Makes all files visible. Every planned file has been written.
   *
   * @param options.keepLedger  some work failed: a later call with `force` does that alone
   * @throws UserError  a result of other work is there
   */
  commit(options?: { readonly keepLedger?: boolean }): Promise<void>;
  /** Lets others in. Without a commit nothing is left but the ledger, if it holds a line. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * @param plan  without: nothing is kept beyond this process
 * @throws UserError  a result already exists, a file would replace an input, or another process is making this result
 */
export async function openResult(plan: ResultPlan | undefined): Promise<Result> {
  if (plan === undefined) return inMemory();
  const { main, beside, inputs } = plan;
  refuseSameFile([main, ...beside], inputs);
  const lockPath = lockPathOf(main);
  if (!(await isLocked(lockPath))) admit(plan, false); // before anything is made or locked
  const made = await makeDirectory(dirname(main));
  const removeMade = async (): Promise<void> => {
    for (const folder of made) await rmdir(folder).catch(() => {}); // not empty: somebody else's by now
  };
  try {
    const lock = await acquireLock(lockPath, main);
    try {
      await plan.refuseOther?.();
      const state = admit(plan, lock.takenOver);
      for (const path of [...beside, main]) await rm(partialOf(path, main), { force: true });
      return openOnDisk(plan, state, lock, removeMade);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    await removeMade();
    throw error;
  }
}

/** `repeats`: the run that was cut off may have come to its end, so that only the same bytes, and what is missing, may be written. */
type Admission = "creates" | "replaces" | "repeats";

/**
 * @param cutOff  an earlier run was killed while it held the lock
 * @throws UserError  something is there that may not be replaced
 */
function admit({ main, beside, ledger, force, refuseOther }: ResultPlan, cutOff: boolean): Admission {
  if (force || refuseOther !== undefined) return "replaces";
  const unfinished = ledger === undefined ? cutOff : existsSync(ledger);
  if (unfinished && existsSync(main)) return "repeats";
  for (const path of [main, ...beside]) if (existsSync(path)) throw alreadyExists(path);
  return "creates";
}

/** The same for each run of one result, so that the next removes what a killed one left; and no other result's. */
function partialOf(path: string, main: string): string {
  return join(dirname(path), `.${basename(path)}.${sha256(resolve(main)).slice(0, 6)}.partial`);
}

function openOnDisk(plan: ResultPlan, admission: Admission, lock: Lock, removeMade: () => Promise<void>): Result {
  const { main, beside, ledger: ledgerPath } = plan;
  const written = new Set<string>();
  let ledger: { close(): Promise<void>; readonly empty: () => boolean } | undefined;
  let state: "open" | "committed" | "closed" = "open";
  // The run that was cut off had finished all its work: what needs more is another.
  const isWhole = admission === "repeats" && ledgerPath !== undefined;
  const refuse = (): Promise<never> => Promise.reject(alreadyExists(main));
  return {
    async finished(parse, wanted) {
      invariant(ledger === undefined, "a result has one ledger");
      const opened = await openFinished(ledgerPath, parse, wanted);
      ledger = opened;
      if (isWhole && wanted !== undefined && opened.size() < new Set(wanted).size) throw alreadyExists(main);
      return isWhole ? { ...opened, add: refuse } : opened;
    },
    async ledger(visit) {
      invariant(ledger === undefined, "a result has one ledger");
      const opened = await openVisited(ledgerPath, visit);
      ledger = opened;
      return isWhole ? { append: refuse } : opened;
    },
    async write(path, pieces) {
      invariant(path === main || beside.includes(path), `${path} is not a file of this result`);
      if (dirname(path) !== dirname(main)) await makeDirectory(dirname(path));
      await writePieces(partialOf(path, main), path, pieces);
      written.add(path);
    },
    async commit({ keepLedger = false } = {}) {
      for (const path of [main, ...beside]) invariant(written.has(path), `${path} was not written`);
      await makeVisible(plan, admission);
      state = "committed";
      await ledger?.close();
      await lock.release();
      if (keepLedger || ledgerPath === undefined || (await isLocked(lockPathOf(main)))) return; // or somebody uses it by now
      await rm(ledgerPath, { force: true });
    },
    async [Symbol.asyncDispose]() {
      if (state !== "open") return;
      state = "closed";
      await ledger?.close();
      for (const path of [...beside, main]) await rm(partialOf(path, main), { force: true });
      if (ledgerPath !== undefined && ledger?.empty() === true) await rm(ledgerPath, { force: true });
      await lock.release();
      await removeMade();
    },
  };
}

async function makeVisible({ main, beside }: ResultPlan, admission: Admission): Promise<void> {
  const paths = [main, ...beside];
  const show = (which: readonly string[]): Promise<void> =>
    renameAll(which.map((path) => [partialOf(path, main), path]));
  switch (admission) {
    case "creates":
      for (const path of paths) if (existsSync(path)) throw alreadyExists(path);
      return show(paths);
    case "replaces":
      for (const path of beside) await rm(path, { force: true }); // none may lie beside a main file of another run
      return show(paths);
    case "repeats":
      if ((await sha256File(main)) !== (await sha256File(partialOf(main, main)))) throw alreadyExists(main);
      await show(beside.filter((path) => !existsSync(path)));
      for (const path of paths) await rm(partialOf(path, main), { force: true });
  }
}

/** All or none: where one cannot be renamed, those that are new go away again. */
async function renameAll(pairs: readonly (readonly [from: string, to: string])[]): Promise<void> {
  const fresh: string[] = [];
  try {
    for (const [from, to] of pairs) {
      const isNew = !existsSync(to);
      await rename(from, to);
      if (isNew) fresh.push(to);
    }
  } catch (error) {
    for (const path of fresh) await rm(path, { force: true });
    throw error;
  }
}

/** @param shown  the file's final name, for errors */
async function writePieces(
  path: string,
  shown: string,
  pieces: string | Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  const file = await open(path, "w");
  try {
    let waiting = "";
    for await (const piece of typeof pieces === "string" ? [pieces] : pieces) {
      waiting += piece;
      if (waiting.length < FLUSH) continue;
      await file.writeFile(waiting); // continues at the current position
      waiting = "";
    }
    await file.writeFile(waiting);
    await file.sync();
  } catch (error) {
    throw withPath(error, shown); // a handle's errors name no path
  } finally {
    await file.close();
  }
}

/** Characters gathered before they are written. */
const FLUSH = 1 << 20;

async function openFinished<Line extends { readonly key: string }>(
  path: string | undefined,
  parse: (value: unknown) => Line,
  wanted?: readonly string[],
): Promise<Finished<Line> & { close(): Promise<void>; readonly empty: () => boolean }> {
  const ledger = path === undefined ? undefined : await openLedger(path, parse);
  const keys = wanted === undefined ? undefined : new Set(wanted);
  const known = new Map<string, Line>();
  for (const line of ledger?.lines ?? []) if (keys?.has(line.key) !== false) known.set(line.key, line);
  const others = (ledger?.lines ?? []).filter(({ key }) => !known.has(key)).length;
  let empty = ledger === undefined || ledger.lines.length === 0;
  let isOpen = true;
  return {
    get: (key) => known.get(key),
    size: () => known.size,
    others,
    async add(line) {
      await ledger?.append(line);
      empty = false;
      known.set(line.key, line);
    },
    empty: () => empty,
    async close() {
      if (isOpen) await ledger?.close();
      isOpen = false;
    },
  };
}

async function openVisited<Line>(path: string | undefined, visit: (value: unknown) => void) {
  let empty = true;
  const seen = (value: unknown): void => {
    empty = false;
    visit(value);
  };
  const ledger = path === undefined ? undefined : await openGrowingLedger<Line>(path, seen);
  return {
    async append(line: Line) {
      empty = false;
      await ledger?.append(line);
    },
    empty: () => empty,
    close: async () => ledger?.close(),
  };
}

function inMemory(): Result {
  return {
    finished: (parse, wanted) => openFinished(undefined, parse, wanted),
    ledger: (visit) => openVisited(undefined, visit),
    write: async () => {},
    commit: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
