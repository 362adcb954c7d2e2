/**
 * The study of a command, with a word about how far its inputs and results are read: a model of 13 GB takes most of a minute, and in a pipe
 * there is no line that moves.
 * May not know: what a study does.
 */
import type { StudyRequest } from "../../study/plan/flags.js";
import { type Prepared, prepareStudy } from "../../study/plan/prepare.js";
import type { OnRead } from "../../study/plan/sources.js";
import { formatBytes, openProgress } from "../../util/progress.js";
import type { TerminalStream } from "../../util/terminal.js";
import type { Io } from "../run-action.js";

/** Milliseconds before the first line in a log, and between two. */
const REPEAT_MS = 10_000;

export interface Shown {
  /** Default: standard error, and under `--events` events. */
  readonly stream?: TerminalStream;
  readonly repeatMs?: number;
}

export interface ReadingShown {
  readonly onRead: OnRead;
  clear(): void;
}

export function showReading(
  io: Pick<Io, "events" | "note">,
  { stream, repeatMs = REPEAT_MS }: Shown = {},
): ReadingShown {
  const lines: TerminalStream = { isTTY: false, write: (line) => io.note(line.trimEnd()) };
  const progress = openProgress(stream ?? (io.events ? lines : process.stderr), { repeatMs });
  return {
    onRead: ({ what, done, total }) =>
      progress.update(() => `reading the ${what}: ${formatBytes(done)} of ${formatBytes(total)}`),
    clear: progress.clear,
  };
}

export async function prepareShown(
  request: StudyRequest,
  io: Pick<Io, "events" | "note">,
  shown: Shown = {},
): Promise<Prepared> {
  const { onRead, clear } = showReading(io, shown);
  try {
    return await prepareStudy(request, onRead);
  } finally {
    clear();
  }
}
