/**
 * What every command has around it: where text goes, how it is stopped, and what each kind of failure looks like.
 *
 *   0    done; with `--json` exactly one JSON object is on standard output
 *   2    the user's mistake: one line and its remedy, no stack
 *   130  interrupted: what was finished is kept
 *   1    a defect of ours: the stack, and that we should hear of it
 *
 * May not know: any command.
 */

import { asFlag } from "../options/tables.js";
import { type StepEvent, thinned, type Watch } from "../records/events.js";
import { Interrupted, invariant, UserError, userErrorOf, withPath } from "../util/errors.js";
import { openProgress, type Progress } from "../util/progress.js";
import { excerpt, printable, shorten } from "../util/terminal.js";
import { listenForSignals } from "./signals.js";
import { showEvents } from "./step-progress.js";

/** What a command may say, and how it learns that it should stop. */
export interface Io {
  /** `--json` was given. */
  readonly json: boolean;
  /** `--events` was given. */
  readonly events: boolean;
  /** Text for a person on standard output, without a newline of ours. Dropped under `--json`, where only the summary is printed. */
  out(text: string): void;
  /** One line on standard error; under `--events` an event. */
  note(text: string): void;
  /** The progress line on standard error. */
  readonly progress: Progress;
  /**
   * Aborted by the first Ctrl-C. A command that asks for it promises to keep what is finished and to throw `Interrupted`;
   * the second Ctrl-C ends the process. A command that never asks is ended by the first.
   */
  readonly signal: AbortSignal;
  /** Shows what a step says: as lines and a line of progress, or with `--events` as JSON. */
  readonly onEvent: (event: StepEvent) => void;
  /** The second argument of a step that keeps the promise of `signal`. */
  watch(): Watch;
  /** What must be done before a second Ctrl-C may end the process, within a second; gives false where it could not be. */
  beforeExit(task: () => Promise<boolean>): void;
}

/** Carries out one command and sets the exit code. Never rejects. */
export async function runAction(
  options: { readonly json?: boolean | undefined; readonly events?: boolean | undefined },
  action: (io: Io) => Promise<object | undefined>,
): Promise<void> {
  const { io, close } = openIo({ json: options.json === true, events: options.events === true });
  try {
    const summary = await action(io);
    io.progress.clear();
    if (io.json) process.stdout.write(`${toJson(summary ?? {})}\n`);
  } catch (error) {
    io.progress.clear();
    process.exitCode = report(error);
  } finally {
    close();
  }
}

/** Says on standard error what went wrong and gives the exit code. */
export function report(error: unknown): 1 | 2 | 130 {
  if (error instanceof OutputClosed) return error.left ? 130 : 2; // whoever was reading has left: nobody to tell
  if (error instanceof Interrupted || (error instanceof Error && error.name === "AbortError")) {
    process.stderr.write(
      `tacit: interrupted${error.message === "" ? "" : `: ${cut(error.message, LONGEST_MESSAGE)}`}\n`,
    );
    return 130;
  }
  const mistake = userErrorOf(error);
  if (mistake !== undefined) {
    process.stderr.write(`tacit: ${mistakeLine(mistake)}\n`);
    return 2;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const cause = error instanceof Error && error.cause !== undefined ? `\ncaused by: ${String(error.cause)}` : "";
  process.stderr.write(
    `${printable(shorten(`${stack}${cause}`, LONGEST_STACK))}\ntacit: this is a defect of ours; please report it with the lines above\n`,
  );
  return 1;
}

/** Characters. Whatever a message repeats of a file or a server, it is no page; the remedy is seen even so. */
export const LONGEST_MESSAGE = 1600;
const LONGEST_REMEDY = 400;
const LONGEST_STACK = 20_000;

const cut = (text: string, most: number): string => shorten(excerpt(text, most), most); // escapes are longer than what they stand for

/** What went wrong and what to do, on one line of bounded length. */
export const lineOf = ({ message, remedy }: Pick<UserError, "message" | "remedy">): string =>
  [cut(message, LONGEST_MESSAGE), ...(remedy === undefined ? [] : [cut(remedy, LONGEST_REMEDY)])].join("; ");

/** The mistake on one line, its options spelled as flags. */
export const mistakeLine = (mistake: UserError): string => lineOf(mistake.spelled(asFlag));

/** Standard output was a pipe whose reader has gone (`tacit data show … | head`), or could not be written, which was told then. */
class OutputClosed extends Error {
  override readonly name = "OutputClosed";
  readonly left: boolean;

  constructor(reason: NodeJS.ErrnoException) {
    super("standard output is closed", { cause: reason });
    this.left = reason.code === "EPIPE";
  }
}

/** What the system says of standard output, as the user's mistake. */
export function outputFailed(error: NodeJS.ErrnoException): Error {
  const what = "standard output";
  return (
    userErrorOf(withPath(error, what)) ??
    new UserError(`${what} cannot be written: ${error.message}`, { remedy: "send it elsewhere", cause: error })
  );
}

function openIo({ json, events }: { readonly json: boolean; readonly events: boolean }): { io: Io; close: () => void } {
  const progress = openProgress(process.stderr);
  const onEvent = events ? thinned(printEvent) : showEvents(progress);
  const note = (text: string): void =>
    events ? onEvent({ time: new Date().toISOString(), step: "tacit", event: "note", text }) : progress.note(text);
  const interruption = listenForInterrupt({ ...progress, note });
  let failed: NodeJS.ErrnoException | undefined; // Node revives standard output after an error: only the event tells
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    failed ??= error;
  };
  process.stdout.on("error", onOutputError);
  const io: Io = {
    json,
    events,
    out(text) {
      if (json) return;
      if (failed !== undefined) throw new OutputClosed(failed);
      progress.clear(); // both streams may be the same screen
      process.stdout.write(text);
    },
    note,
    progress,
    onEvent,
    watch: () => ({ signal: io.signal, onEvent, spelling: asFlag }),
    get signal() {
      return interruption.signal();
    },
    beforeExit: (task) => interruption.beforeExit(task),
  };
  const close = (): void => {
    interruption.close();
    process.stdout.off("error", onOutputError);
  };
  return { io, close };
}

const printEvent = (event: StepEvent): void => void process.stderr.write(`${JSON.stringify(event)}\n`);

interface Interruption {
  signal(): AbortSignal;
  beforeExit(task: () => Promise<boolean>): void;
  close(): void;
}

function listenForInterrupt(progress: Progress): Interruption {
  const controller = new AbortController();
  const tasks = new Set<() => Promise<boolean>>();
  let watched = false;
  const exit = async (): Promise<void> => {
    progress.clear();
    const ready = (await Promise.all([...tasks].map((task) => task().catch(() => false)))).every((one) => one);
    if (!ready) return listener.endBySignal();
    process.exit(130);
  };
  const listener = listenForSignals({
    onFirst() {
      if (!watched) void exit();
      if (!watched) return;
      controller.abort(new Interrupted("what was finished is kept"));
      progress.note("tacit: stopping after what is under way; press Ctrl-C again to stop at once");
    },
    onSecond: () => void exit(),
  });
  return {
    signal() {
      watched = true;
      listener.start();
      return controller.signal;
    },
    beforeExit: (task) => void tasks.add(task),
    close: () => listener.close(),
  };
}

/** JSON that holds no NaN: `JSON.stringify` would turn one into null without a word. */
export function toJson(summary: object): string {
  return JSON.stringify(
    summary,
    (key, value: unknown) => {
      invariant(typeof value !== "number" || Number.isFinite(value), `the summary's "${key}" is ${String(value)}`);
      return value;
    },
    2,
  );
}
