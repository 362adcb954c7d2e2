/**
 * The folder that a tuning run makes: what lies there, who may write, what is removed for a new run. Nothing is ever removed that a run
 * did not write: files of other names stay.
 * May not know: how anything is computed.
 */
import { existsSync, realpathSync } from "node:fs";
import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";
import { isModelFile } from "../../engines/write-model.js";
import { type TunePlan, type TuneRunRecord, tunePlanSchema, tuneRunSchema } from "../../records/tune.js";
import { UserError } from "../../util/errors.js";
import { readJson, writeFileAtomic } from "../../util/files.js";
import { acquireLock } from "../../util/lock.js";
import { modelDirectory } from "../../util/model-directory.js";

export const tunePaths = (out: string) => ({
  record: join(out, "run.json"),
  plan: join(out, "unfinished.json"),
  metrics: join(out, "metrics.jsonl"),
  heldOut: join(out, "held_out.jsonl"),
  checkpoints: join(out, "checkpoints"),
  lock: join(out, ".lock"),
});
type Paths = ReturnType<typeof tunePaths>;

const EPOCH = /^epoch-\d+$/;
/** What a killed run was just writing: files under `temporaryName`, folders under their own. */
const PARTIAL = /^\.([0-9a-f]{12}|epoch-\d+|checkpoint-\d+)\.partial$/;

/** What lies in an output folder, as far as runs go. */
type Contents =
  | { readonly kind: "nothing" }
  | { readonly kind: "unfinished" }
  | { readonly kind: "finished" }
  | { readonly kind: "foreign" };

export interface TuneFolder {
  readonly paths: Paths;
  /** The run that is finished here already and was asked to go on. */
  readonly finished: TuneRunRecord | undefined;
  /** The plan of the run that is to go on. */
  readonly unfinished: TunePlan | undefined;
  /** Makes the folder that of a run: a new one removes what an older one left. */
  begin(plan: TunePlan, from: "start" | "checkpoint"): Promise<void>;
  /** The result is written whole. Gives the record as it stands in the file. */
  finish(record: TuneRunRecord): Promise<TuneRunRecord>;
  /** Lets others in. A folder in which nothing was begun goes away again. */
  close(): Promise<void>;
}

export interface FolderRequest {
  readonly model: string;
  readonly out: string;
  readonly resume?: boolean;
  readonly force?: boolean;
}

/** @throws UserError  something is there that may not be replaced or cannot go on, or another process is at work there */
export async function openTuneFolder(request: FolderRequest): Promise<TuneFolder> {
  refuseSourceInside(request);
  const { out } = request;
  const paths = tunePaths(out);
  const isNew = !existsSync(out);
  await admit(request, paths);
  await mkdir(out, { recursive: true });
  const lock = await acquireLock(paths.lock, out);
  const close = async (): Promise<void> => {
    await lock.release();
    if (isNew) await rmdir(out).catch(() => {}); // not empty: something was begun
  };
  try {
    const { kind } = await admit(request, paths); // again, now that nobody else writes
    for (const folder of [out, paths.checkpoints]) await removePartial(folder);
    if (kind === "finished" && request.resume === true) await removeTraces(paths);
    return {
      paths,
      finished: kind === "finished" && request.resume === true ? await readRecord(paths.record) : undefined,
      unfinished: kind === "unfinished" && request.resume === true ? await readPlan(paths.plan) : undefined,
      async begin(plan, from) {
        await writeFileAtomic(paths.plan, toText(tunePlanSchema.parse(plan))); // first: from here on the folder is a run's
        if (from === "start") await removeRun(out, paths);
      },
      async finish(record) {
        const checked = tuneRunSchema.parse(record);
        await writeFileAtomic(paths.record, toText(checked));
        await removeTraces(paths);
        return checked;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const toText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** The model would be overwritten, or removed, while it is needed. */
function refuseSourceInside({ model, out }: FolderRequest): void {
  const real = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));
  const [source, target] = [real(modelDirectory(model)), real(out)];
  if (source !== target && !source.startsWith(target + sep)) return;
  throw new UserError(`the model ${model} lies in --out ${out}`, { remedy: "name another --out" });
}

/** What lies there, where the request may go on with it. */
async function admit({ out, resume = false, force = false }: FolderRequest, paths: Paths): Promise<Contents> {
  if (resume && force) {
    throw new UserError("--resume goes on with a run, --force begins anew", { remedy: "pass one of them" });
  }
  const contents = await look(out, paths);
  if (contents.kind === "nothing") return contents;
  if (contents.kind === "foreign") {
    throw new UserError(`${out} exists already and holds no tuning run`, { remedy: "name another --out" });
  }
  if (resume || force) return contents;
  throw contents.kind === "unfinished"
    ? new UserError(`${out} holds an unfinished run`, { remedy: "pass --resume to go on, or --force to begin anew" })
    : new UserError(`${out} exists already`, { remedy: "pass --force to replace it, or name another --out" });
}

async function look(out: string, paths: Paths): Promise<Contents> {
  if (!existsSync(out)) return { kind: "nothing" };
  const names = await readdir(out);
  if (existsSync(paths.record)) return { kind: (await isTuneRun(paths.record)) ? "finished" : "foreign" };
  if (existsSync(paths.plan)) return { kind: "unfinished" };
  const left = names.filter((name) => !PARTIAL.test(name) && !name.startsWith(basename(paths.lock)));
  return { kind: left.length === 0 ? "nothing" : "foreign" };
}

async function isTuneRun(path: string): Promise<boolean> {
  const value = await readJson(path).catch(() => undefined);
  return typeof value === "object" && value !== null && "command" in value && value.command === "tune";
}

async function readRecord(path: string): Promise<TuneRunRecord> {
  const parsed = tuneRunSchema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  throw new UserError(`${path} is not a record that this version writes`, { remedy: "pass --force to tune anew" });
}

async function readPlan(path: string): Promise<TunePlan> {
  const parsed = tunePlanSchema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  throw new UserError(`${path} is not a plan that this version writes`, { remedy: "pass --force to begin anew" });
}

async function removePartial(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const name of await readdir(folder)) if (PARTIAL.test(name)) await rm(join(folder, name), { recursive: true });
}

/** What only a run under way needs. */
async function removeTraces(paths: Paths): Promise<void> {
  await rm(paths.checkpoints, { recursive: true, force: true });
  await rm(paths.plan, { force: true });
}

/** Everything that an older run wrote here, its record first: without it the rest counts as unfinished. */
async function removeRun(out: string, paths: Paths): Promise<void> {
  for (const path of [paths.record, paths.metrics, paths.heldOut]) await rm(path, { force: true });
  await rm(paths.checkpoints, { recursive: true, force: true });
  await removeModel(out);
  for (const name of await readdir(out)) {
    if (!EPOCH.test(name)) continue;
    await removeModel(join(out, name));
    await rmdir(join(out, name)).catch(() => {}); // somebody keeps a file of their own there
  }
}

async function removeModel(directory: string): Promise<void> {
  for (const name of await readdir(directory)) if (isModelFile(name)) await rm(join(directory, name));
}
