/**
 * How a step speaks while it works: events, in this order. What a person reads is made of them where they are shown.
 *
 *   note, warning   at any moment
 *   begin           what is to be done is known, and how much of it was finished before; again where it has become better known
 *   progress        after it, often
 *   end             last, exactly once, however the step ends
 *
 * May not know: any step, who listens. No package is loaded here: help is quick. `event-line.ts` holds the schema.
 */

import { Interrupted, reasonOf, userErrorOf } from "../util/errors.js";
import { type LineLog, openLineLog } from "../util/line-log.js";
import type { Spelling } from "../util/words.js";

/** In a run's folder: what the runs there said, a line an event. It tells times, so that no two runs leave the same bytes. */
export const EVENTS_FILE = "events.jsonl";

/** What `total` and `done` count. */
export const units = [
  ...["rows", "prompts", "instructions", "texts", "calls", "steps", "statements", "tensors", "files", "answers"],
] as const;
export type Unit = (typeof units)[number];

export type StepOutcome =
  | { readonly kind: "done" }
  /** Stopped by its signal: what was finished is kept. */
  | { readonly kind: "interrupted" }
  /** `defect`: the failure is ours, not the world's. */
  | { readonly kind: "failed"; readonly reason: string; readonly remedy: string | null; readonly defect: boolean };

/** Numbers of a progress event. They are of this run alone, but for `done`. */
export interface Standing {
  /** Of `total`, with what was finished before. */
  readonly done: number;
  /** That went through the model. */
  readonly tokens?: number | undefined;
  /** Of the last training step, reduced. */
  readonly loss?: number | undefined;
  /** From 0 on. */
  readonly epoch?: number | undefined;
  /** Of a server: requests without a reply, each of which was or will be repeated. */
  readonly repeated?: number | undefined;
  /** Spent on a server, where its price is known. */
  readonly dollars?: number | undefined;
}

export interface Plan {
  /** Work in units: what is equal is done, and counted, once. */
  readonly total: number;
  readonly unit: Unit;
  /** Of `total`, finished by an earlier run. */
  readonly reused: number;
}

type Said =
  | ({ readonly event: "begin" } & Plan)
  | ({ readonly event: "progress" } & Standing)
  | { readonly event: "note" | "warning"; readonly text: string }
  | { readonly event: "end"; readonly outcome: StepOutcome };

export type StepEvent = Said & {
  /** ISO 8601, in UTC. */
  readonly time: string;
  /** The command, as in `score`; in a study the id of the step; `tacit`: the command line itself. */
  readonly step: string;
};

/** The second argument of every step. */
export interface Watch {
  /** Aborted: the step keeps what is finished and throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called at once, and for progress often: keep it cheap. What it throws ends the step. */
  readonly onEvent?: ((event: StepEvent) => void) | undefined;
  /** How options are written where events are read; default: as in scripts. */
  readonly spelling?: Spelling | undefined;
}

/** What a step speaks with. */
export interface Emitter {
  begin(plan: Plan): void;
  progress(standing: Standing): void;
  /** What a person should know of model, data or run. */
  note(text: string): void;
  warning(text: string): void;
  /** An event of a step that this one carries out, as it came. */
  pass(event: StepEvent): void;
  /** Also keeps the events in a file, those so far included; progress at most once a second. */
  keepIn(path: string): Promise<void>;
}

/**
 * Carries out one step and says how it ended.
 *
 * @param step  the command's name, as in `score`
 * @param work  gets what it speaks with
 * @throws what `work` throws
 */
export async function watched<T>(step: string, watch: Watch, work: (say: Emitter) => Promise<T>): Promise<T> {
  const before: StepEvent[] = []; // until it is known where they are kept
  let log: LineLog | undefined;
  let keep = (event: StepEvent): void => void (event.event === "progress" || before.push(event));
  const pass = (event: StepEvent): void => {
    keep(event);
    watch.onEvent?.(event);
  };
  const say = (what: Said): void => pass({ time: new Date().toISOString(), step, ...what });
  const warn = (text: string): void => say({ event: "warning", text });
  const emitter: Emitter = {
    begin: (plan) => say({ event: "begin", ...plan }),
    progress: (standing) => say({ event: "progress", ...standing }),
    note: (text) => say({ event: "note", text }),
    warning: warn,
    pass,
    async keepIn(path) {
      log = await openLineLog(path, (reason) => warn(`events are not kept any longer: ${reason}`));
      keep = thinned(log.append);
      for (const event of before.splice(0)) keep(event);
    },
  };
  try {
    const result = await work(emitter).catch((error: unknown) => {
      try {
        say({ event: "end", outcome: outcomeOf(error, watch) });
      } catch {
        // the error is the more important one, and where the disk is full it says the same
      }
      throw error;
    });
    say({ event: "end", outcome: { kind: "done" } });
    return result;
  } finally {
    await log?.close();
  }
}

/** How a step that threw `error` has ended. */
export function outcomeOf(
  error: unknown,
  { signal, spelling }: Pick<Watch, "signal" | "spelling"> = {},
): Exclude<StepOutcome, { readonly kind: "done" }> {
  const aborted = signal?.aborted === true && error === signal.reason;
  if (aborted || error instanceof Interrupted || (error instanceof Error && error.name === "AbortError"))
    return { kind: "interrupted" };
  const mistake = userErrorOf(error);
  const said = mistake?.spelled(spelling);
  return {
    kind: "failed",
    reason: said?.message ?? reasonOf(error),
    remedy: said?.remedy ?? null,
    defect: mistake === undefined,
  };
}

/** The same events with progress of each step at most once in `ms`; the last before any other event gets through. */
export function thinned(sink: (event: StepEvent) => void, ms = 1000): (event: StepEvent) => void {
  const last = new Map<string, number>();
  const held = new Map<string, StepEvent>();
  return (event) => {
    const { step } = event;
    const waiting = held.get(step);
    held.delete(step);
    if (event.event === "progress") {
      const at = Date.parse(event.time);
      if (Math.abs(at - (last.get(step) ?? Number.NEGATIVE_INFINITY)) < ms) {
        held.set(step, event);
        return;
      }
      last.set(step, at);
    } else if (waiting !== undefined) sink(waiting);
    sink(event);
  };
}
