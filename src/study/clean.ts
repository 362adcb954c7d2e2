/**
 * Folders of steps that the study does not have any more: of an arm that was changed, a seed that was taken away.
 * May not know: what is in them.
 */
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { acquireLock } from "../util/lock.js";
import { folderBytes, lockPath, stepFolders } from "./folder.js";
import type { Prepared } from "./prepare.js";
import { openState } from "./state.js";

export interface Unused {
  readonly folders: readonly { readonly folder: string; readonly bytes: number }[];
  /** Of kinds that a choice of epochs may yet ask for: they are not touched before it is made. */
  readonly kept: readonly string[];
}

export async function findUnused(prepared: Prepared): Promise<Unused> {
  const { root } = prepared.folder;
  const { steps } = (await openState(prepared)).graph();
  const used = new Set(steps.flatMap(({ plan }) => plan?.folder ?? []));
  const open = new Set(steps.filter(({ plan }) => plan === undefined).map(({ kind }) => kind as string));
  const folders: { folder: string; bytes: number }[] = [];
  const kept: string[] = [];
  for (const folder of await stepFolders(root)) {
    if (used.has(folder)) continue;
    const kind = basename(folder).replace(/-[0-9a-f]+$/, "");
    if (open.has(kind)) kept.push(folder);
    else folders.push({ folder, bytes: await folderBytes(join(root, folder)) });
  }
  return { folders, kept };
}

/** @throws UserError  a run is under way there */
export async function removeUnused({ folder: { root } }: Prepared, { folders }: Unused): Promise<void> {
  if (folders.length === 0) return;
  const lock = await acquireLock(lockPath(root), root);
  try {
    for (const { folder } of folders) await rm(join(root, folder), { recursive: true });
  } finally {
    await lock.release();
  }
}
