/**
 * The flags that a study was last run with. They stand in the folder's `study.json`, so that who asks about a folder need not repeat them.
 * May not know: what a study does.
 */

import { studyFolder } from "../results/folder.js";
import type { StudyRequest } from "./flags.js";
import { studyRoot } from "./prepare.js";
import { loadStudy } from "./read.js";

/**
 * The request with the flags of the folder's last run beneath its own: what is given now counts.
 *
 * @throws UserError  there is no such study
 */
export async function recall(request: StudyRequest): Promise<StudyRequest> {
  const { study, scale } = await loadStudy(request.study, request.scale);
  const before = await studyFolder(studyRoot(request, study.name, scale)).readStudy();
  if (before === undefined || before.study.name !== study.name) return request;
  const { models = [], data = [], data_dir: dataDir, lc_data: lcData, ...same } = before.flags;
  const recalled = { ...same, dataDir, lcData, scale: before.scale ?? undefined };
  return {
    ...Object.fromEntries(Object.entries(recalled).filter(([, value]) => value !== undefined)),
    ...request,
    models: [...models.filter(isNameIn(study.models)), ...(request.models ?? [])], // of one name the last counts
    data: [...data.filter(isNameIn(study.data)), ...(request.data ?? [])],
  };
}

/** `NAME=…` may be of what was taken out of the file since. */
const isNameIn =
  (table: object) =>
  (text: string): boolean =>
    Object.hasOwn(table, text.slice(0, text.indexOf("=")));
