/**
 * The folder that a training run makes: what lies there, who may write, what is removed for a new run. Nothing is ever removed that a run
 * did not write: files of other names stay. A tuning run is one kind of them; pre-training (`glasshouse`) is another.
 * May not know: how anything is computed.
 */
import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import type { z } from "zod";
import { isEpochFolder, isModelFile } from "../../model-files/write.js";
import { EVENTS_FILE } from "../../records/events.js";
import { type TunePlan, type TuneRunRecord, tunePlanSchema, tuneRunSchema } from "../../records/tune.js";
import { isCheckpointFile } from "../../train/state.js";
import { removeOwned } from "../../util/directories.js";
import { UserError } from "../../util/errors.js";
import { alreadyExists, isPartial, makeDirectory, realPath, removePartial, writeFileAtomic } from "../../util/files.js";
import { readJson } from "../../util/json.js";
import { acquireLock, isLocked } from "../../util/lock.js";
import { modelDirectory } from "../../util/model-directory.js";
import { option, words } from "../../util/words.js";

/** What tells the runs of one command from those of another. */
export interface RunKind<Plan, Run extends Plan> {
  /** As the record says it: `command`. */
  readonly command: string;
  /** For messages: "a tuning run". */
  readonly noun: string;
  readonly plan: z.ZodType<Plan>;
  readonly run: z.ZodType<Run>;
  /** Files that it writes beside model, record and ledgers. */
  readonly more: readonly string[];
}

const TUNING: RunKind<TunePlan, TuneRunRecord> = {
  command: "tune",
  noun: "tuning run",
  plan: tunePlanSchema,
  run: tuneRunSchema,
  more: [],
};

export const tunePaths = (out: string) => ({
  record: join(out, "run.json"),
  plan: join(out, "unfinished.json"),
  metrics: join(out, "metrics.jsonl"),
  heldOut: join(out, "held_out.jsonl"),
  checkpoints: join(out, "checkpoints"),
  events: join(out, EVENTS_FILE),
  lock: join(out, ".lock"),
});

/** Whether a tuning run writes a file of this path into its folder. */
export function isRunFile(path: string): boolean {
  const [first = "", ...rest] = path.split("/");
  if (rest.length === 0) return isModelFile(first) || Object.values(tunePaths("")).includes(first);
  if (first === "checkpoints") return rest.join("/") === "" || isCheckpointFile(rest.join("/"));
  return isEpochFolder(first) && (rest.join("/") === "" || isModelFile(rest.join("/")));
}

type Paths = ReturnType<typeof tunePaths>;

/** What lies in an output folder, as far as runs go. */
type Contents = "nothing" | "unfinished" | "finished" | "foreign";

export interface RunFolder<Plan, Run extends Plan> {
  readonly paths: Paths;
  /** The run that is finished here already, where it was asked for again, or was cut off when only its traces were left to remove. */
  readonly finished: Run | undefined;
  /** The plan of the run that is to be resumed. */
  readonly unfinished: Plan | undefined;
  /** Makes the folder that of a run: a new one removes what an older one left. */
  begin(plan: Plan, from: "start" | "checkpoint"): Promise<void>;
  /** The result is written whole. Gives the record as it stands in the file. */
  finish(record: Run): Promise<Run>;
  /** Lets others in. A folder in which nothing was begun goes away again. */
  close(): Promise<void>;
}

export type TuneFolder = RunFolder<TunePlan, TuneRunRecord>;

export interface FolderRequest {
  readonly out: string;
  /** A finished run is no mistake: its record is the answer. One that is not finished is resumed without being asked to. */
  readonly resume?: boolean;
  /** Replace a finished run, and an unfinished one that was asked for differently. */
  readonly force?: boolean;
  /** The folder is this run's alone: a plan in it that cannot be read is none. */
  readonly own?: boolean;
}

/** As `openRunFolder`; also refuses to tune a model into its own folder. */
export async function openTuneFolder(request: FolderRequest & { readonly model: string }): Promise<TuneFolder> {
  refuseSourceInside(request);
  return openRunFolder(TUNING, request);
}

/** @throws UserError  something is there that may not be replaced or resumed, or another process is at work there */
export async function openRunFolder<Plan, Run extends Plan>(
  kind: RunKind<Plan, Run>,
  request: FolderRequest,
): Promise<RunFolder<Plan, Run>> {
  const { out, force = false, own = false } = request;
  const paths = tunePaths(out);
  await admit(request, paths, kind, await isLocked(paths.lock));
  const made = await makeDirectory(out);
  const lock = await acquireLock(paths.lock, out);
  const close = async (): Promise<void> => {
    await lock.release();
    for (const folder of made) await rmdir(folder).catch(() => {}); // not empty: something was begun
  };
  try {
    const found = await admit(request, paths, kind, lock.takenOver); // again, now that nobody else writes
    for (const folder of [out, paths.checkpoints]) await removePartial(folder);
    const finished = found === "finished" ? await readAs(kind.run, paths.record) : undefined;
    if (finished !== undefined) await removeUnfinished(paths);
    const unfinished = (): Promise<Plan | undefined> =>
      force || own ? readAs(kind.plan, paths.plan).catch(() => undefined) : readAs(kind.plan, paths.plan);
    return {
      paths,
      finished,
      unfinished: found === "unfinished" ? await unfinished() : undefined,
      async begin(plan, from) {
        await writeFileAtomic(paths.plan, toText(kind.plan.parse(plan))); // first: from here on the folder is a run's
        if (from === "start") await removeRun(out, paths, kind.more);
      },
      async finish(record) {
        const checked = kind.run.parse(record);
        await writeFileAtomic(paths.record, toText(checked));
        await removeUnfinished(paths);
        return checked;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const toText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The model would be overwritten, or removed, while it is needed. */
function refuseSourceInside({ model, out }: { readonly model: string; readonly out: string }): void {
  const [source, target] = [realPath(modelDirectory(model)), realPath(out)];
  if (source !== target && !source.startsWith(target + sep)) return;
  throw new UserError(words`the model ${model} lies in ${option("out", out)}`, {
    remedy: words`name another ${option("out")}`,
  });
}

/**
 * What lies there, as far as this request makes use of it. A finished run that the request replaces is none of it.
 * @param cutOff  the last process at work there was killed
 */
async function admit(
  { out, resume = false, force = false }: FolderRequest,
  paths: Paths,
  kind: { readonly command: string; readonly noun: string },
  cutOff: boolean,
): Promise<"nothing" | "unfinished" | "finished"> {
  if (resume && force) {
    throw new UserError(words`${option("resume")} keeps a run, ${option("force")} replaces it`, {
      remedy: "pass one of them",
    });
  }
  const contents = await look(out, paths, kind.command);
  if (contents === "foreign") {
    throw new UserError(`${out} already exists and holds no ${kind.noun}`, {
      remedy: words`name another ${option("out")}`,
    });
  }
  if (contents !== "finished" || resume || cutOff || existsSync(paths.plan)) return contents;
  if (!force) throw alreadyExists(out);
  return "nothing";
}

async function look(out: string, paths: Paths, command: string): Promise<Contents> {
  if (!existsSync(out)) return "nothing";
  const names = await readdir(out);
  if (existsSync(paths.record)) return (await isRunOf(command, paths.record)) ? "finished" : "foreign";
  if (existsSync(paths.plan)) return "unfinished";
  const left = names.filter((name) => !isPartial(name) && !name.startsWith(basename(paths.lock)));
  return left.length === 0 ? "nothing" : "foreign";
}

async function isRunOf(command: string, path: string): Promise<boolean> {
  const value = await readJson(path).catch(() => undefined);
  return typeof value === "object" && value !== null && "command" in value && value.command === command;
}

async function readAs<T>(schema: z.ZodType<T>, path: string): Promise<T> {
  const parsed = schema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  throw new UserError(`${path} is not a record that this version writes`, {
    remedy: words`pass ${option("force")} to replace the run`,
  });
}

/** What only a run under way needs. */
async function removeUnfinished(paths: Paths): Promise<void> {
  await removeOwned(paths.checkpoints, isCheckpointFile);
  await rm(paths.plan, { force: true });
}

/** Everything that an older run wrote here, its record first: without it the rest counts as unfinished. */
async function removeRun(out: string, paths: Paths, more: readonly string[]): Promise<void> {
  const others = more.map((name) => join(out, name));
  for (const path of [paths.record, paths.metrics, paths.heldOut, ...others]) await rm(path, { force: true });
  await removeOwned(paths.checkpoints, isCheckpointFile);
  for (const name of await readdir(out)) {
    if (isModelFile(name)) await rm(join(out, name));
    if (isEpochFolder(name)) await removeOwned(join(out, name), isModelFile);
  }
}
