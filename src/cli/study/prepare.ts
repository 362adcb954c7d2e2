/**
 * The study of a command, with a word about how far its inputs are read: a model of 13 GB takes most of a minute, and in a pipe there is
 * no line that moves.
 * May not know: what a study does.
 */
import type { StudyRequest } from "../../study/plan/flags.js";
import { type Prepared, prepareStudy } from "../../study/plan/prepare.js";
import { formatBytes, openProgress } from "../../util/progress.js";
import type { TerminalStream } from "../../util/terminal.js";

/** Milliseconds before the first line in a log, and between two. */
const REPEAT_MS = 10_000;

export async function prepareShown(
  request: StudyRequest,
  {
    stream = process.stderr,
    repeatMs = REPEAT_MS,
  }: { readonly stream?: TerminalStream; readonly repeatMs?: number } = {},
): Promise<Prepared> {
  const progress = openProgress(stream, { repeatMs });
  try {
    return await prepareStudy(request, ({ role, name }, done, total) =>
      progress.update(
        () => `reading the ${role === name ? role : `${role} ${name}`}: ${formatBytes(done)} of ${formatBytes(total)}`,
      ),
    );
  } finally {
    progress.clear();
  }
}
