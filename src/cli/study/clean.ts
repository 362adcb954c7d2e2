/**
 * `tacit study clean`: what no step of a study refers to any more.
 * May not know: how anything is computed.
 */

import type { StudyRequest } from "../../study/plan/flags.js";
import { recall } from "../../study/plan/recall.js";
import { findUnused, refuseOtherStudy, removeUnused } from "../../study/results/clean.js";
import { formatBytes } from "../../util/progress.js";
import { columns } from "../../util/terminal.js";
import type { Io } from "../run-action.js";
import { prepareShown } from "./prepare.js";

export async function cleanStudy(
  request: StudyRequest,
  { force }: { readonly force: boolean },
  io: Io,
): Promise<object> {
  const prepared = await prepareShown(await recall(request), io);
  await refuseOtherStudy(prepared);
  const unused = await findUnused(prepared);
  const bytes = unused.folders.reduce((sum, folder) => sum + folder.bytes, 0);
  io.out(
    columns(
      unused.folders.map((one) => [one.folder, formatBytes(one.bytes)]),
      [1],
    ),
  );
  if (unused.kept.length > 0) {
    io.note(`${unused.kept.length} folders are kept: they may be of steps that wait for a choice of epochs`);
  }
  if (force) await removeUnused(prepared, unused);
  const what = `${unused.folders.length} folders, ${formatBytes(bytes)}`;
  io.out(
    unused.folders.length === 0
      ? "nothing to remove\n"
      : force
        ? `removed ${what}\n`
        : `${what} are of no step of this study; pass --force to remove them\n`,
  );
  return { out: prepared.folder.root, removed: force, folders: unused.folders, kept: unused.kept, bytes };
}
