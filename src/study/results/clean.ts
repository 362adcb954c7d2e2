/**
 * Folders of steps that the study does not have any more: of an arm that was changed, a seed that was taken away.
 * May not know: what is in them.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { StudyRecord } from "../../records/study.js";
import { refuseStrangers } from "../../util/directories.js";
import { UserError } from "../../util/errors.js";
import { bytesBelow } from "../../util/files.js";
import { acquireLock } from "../../util/lock.js";
import type { Prepared } from "../plan/prepare.js";
import { isUrl } from "../plan/sources.js";
import { kindOfFolder } from "../steps.js";
import { isStepFile, lockPath, stepFolders } from "./folder.js";
import { openState } from "./state.js";

export interface Unused {
  readonly folders: readonly { readonly folder: string; readonly bytes: number }[];
  /** Of kinds that a choice of epochs may yet ask for: they are not touched before it is made. */
  readonly kept: readonly string[];
}

export async function findUnused(prepared: Prepared): Promise<Unused> {
  const { root } = prepared.folder;
  const { steps } = (await openState(prepared, { unchecked: true })).graph();
  const used = new Set(steps.flatMap(({ plan }) => plan?.folder ?? []));
  const open = new Set(steps.filter(({ plan }) => plan === undefined).map(({ kind }) => kind));
  const folders: { folder: string; bytes: number }[] = [];
  const kept: string[] = [];
  for (const folder of await stepFolders(root)) {
    if (used.has(folder)) continue;
    const kind = kindOfFolder(folder);
    if (kind !== undefined && open.has(kind)) kept.push(folder);
    else folders.push({ folder, bytes: await bytesBelow(join(root, folder)) });
  }
  return { folders, kept };
}

/**
 * What the study of the folder's last run refers to is not unused because the same file was now named with other flags. An edited
 * file is another matter: what was taken out of it is meant to go.
 *
 * @throws UserError  the flags, or the version of this package, make another study of the same file
 */
export async function refuseOtherStudy({ folder, record }: Pick<Prepared, "folder" | "record">): Promise<void> {
  const before = await folder.readStudy();
  if (before === undefined) return;
  const edited = before.source.sha256 !== record.source.sha256;
  const others = [...settingsThatDiffer(before, record), ...(edited ? [] : partsThatDiffer(before, record))];
  if (others.length === 0) return;
  throw new UserError(
    `${folder.root} was last run as a study that differs in ${others.join(", ")}: its results would count as unused`,
    { remedy: "leave these flags out, or run the study as it is now first" },
  );
}

function settingsThatDiffer(before: StudyRecord, now: StudyRecord): string[] {
  const pairs = [
    ["scale", before.scale, now.scale],
    ["threads", before.settings.threads, now.settings.threads],
    ["Tacit's version", before.tacit, now.tacit],
  ] as const;
  return pairs.flatMap(([name, old, own]) => (old === own ? [] : [`${name} (${old ?? "none"}, now ${own ?? "none"})`]));
}

/** Keys of the study, and inputs: where a path leads is compared by the hash of what is there. */
function partsThatDiffer(before: StudyRecord, now: StudyRecord): string[] {
  const hashes = ({ inputs }: StudyRecord): [string, unknown][] =>
    inputs.map(({ role, name, hash }) => [role === name ? role : `${role} ${name}`, hash]);
  const [old, own] = [before, now].map((one) => new Map([...Object.entries(withoutPaths(one)), ...hashes(one)]));
  const names = new Set([...(old?.keys() ?? []), ...(own?.keys() ?? [])]);
  return [...names].filter((name) => !isDeepStrictEqual(old?.get(name), own?.get(name)));
}

function withoutPaths({ study }: StudyRecord): Record<string, unknown> {
  const { about: _, data: __, judge: ___, length_control: control, ...rest } = study;
  const isPath = (key: string, value: unknown): boolean =>
    key === "path" || (key === "encoder" && typeof value === "string" && !isUrl(value));
  const text = JSON.stringify({ ...rest, length_control: control.fit }, (key, value: unknown) =>
    isPath(key, value) ? undefined : value,
  );
  return JSON.parse(text) as Record<string, unknown>;
}

/** @throws UserError  a run is under way there, or somebody keeps files of their own in such a folder: then nothing is removed */
export async function removeUnused({ folder: { root } }: Prepared, { folders }: Unused): Promise<void> {
  if (!existsSync(root)) return;
  const lock = await acquireLock(lockPath(root), root); // also where nothing is left: a run that was killed at its end leaves its lock
  try {
    for (const { folder } of folders) await refuseStrangers(join(root, folder), (path) => isStepFile(folder, path));
    for (const { folder } of folders) await rm(join(root, folder), { recursive: true });
  } finally {
    await lock.release();
  }
}
