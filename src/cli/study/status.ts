/**
 * `tacit study status`: where a study stands.
 * May not know: how anything is computed.
 */
import { prepareStudy, type StudyRequest } from "../../study/prepare.js";
import { openState } from "../../study/state.js";
import { columns, quoted } from "../../util/terminal.js";
import type { Io } from "../run-action.js";
import { describeOutcome, summaryOf } from "./describe.js";

export async function showStatus(
  request: StudyRequest,
  { steps }: { readonly steps: boolean },
  io: Io,
): Promise<object> {
  const prepared = await prepareStudy(request);
  const state = await openState(prepared);
  const results = await state.results();
  if (steps) {
    const rows = results.steps.map(({ id, state: is, folder, reason }) => [is, id, folder ?? "", quoted(reason ?? "")]);
    io.out(`${columns(rows)}\n`);
  }
  io.out(describeOutcome(results, prepared.folder.root));
  return steps
    ? { ...summaryOf(results, prepared.folder.root), steps: results.steps }
    : summaryOf(results, prepared.folder.root);
}
