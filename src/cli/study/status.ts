/**
 * `tacit study status`: where a study stands.
 * May not know: how anything is computed.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { studyFiles } from "../../records/study.js";
import type { StudyRequest } from "../../study/plan/flags.js";
import { recall } from "../../study/plan/recall.js";
import { openState } from "../../study/results/state.js";
import { columns, quoted } from "../../util/terminal.js";
import type { Io } from "../run-action.js";
import { describeOutcome, summaryOf } from "./describe.js";
import { prepareShown } from "./prepare.js";

export async function showStatus(
  request: StudyRequest,
  { steps }: { readonly steps: boolean },
  io: Io,
): Promise<object> {
  const prepared = await prepareShown(await recall(request), io);
  const state = await openState(prepared);
  const results = await state.results();
  if (steps) {
    const rows = results.steps.map(({ id, state: is, folder, reason }) => [is, id, folder ?? "", quoted(reason ?? "")]);
    io.out(`${columns(rows)}\n`);
  }
  const { root } = prepared.folder;
  io.out(describeOutcome(results, existsSync(join(root, studyFiles.results)) ? root : undefined));
  return steps ? { ...summaryOf(results, root), steps: results.steps } : summaryOf(results, root);
}
