/**
 * Who carries out a step: this thread, or a thread of its own. A computation holds up its thread for as long as one micro-batch takes;
 * a judge that waits for replies, and the progress line, must not wait for it.
 * May not know: which steps there are.
 */

import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { asSetting } from "../../options/study-settings.js";
import "../../util/no-telemetry.js";
import type { StepEvent, Watch } from "../../records/events.js";
import { Interrupted, InvariantError, outOfMemory, UserError, userErrorOf } from "../../util/errors.js";
import type { Done } from "../step.js";
import { definitionOf, type StepWork } from "../steps.js";
import { type CarryContext, carryOut } from "./carry-out.js";

export interface Runner {
  run(work: StepWork, folder: string, watch: Watch): Promise<Done>;
  /**
   * Stops all workers where they stand, so that the process may end: one that is ended in native code takes the process with it in C++.
   * Nothing can be run afterwards.
   *
   * @returns false where one is in native code for longer than that takes
   */
  halt(): Promise<boolean>;
  close(): Promise<void>;
}

const HALT_MS = 1300;

/** Everything in this thread. */
export const inlineRunner = (context: CarryContext): Runner => ({
  run: (work, folder, watch) => carryOut(work, folder, context, watch),
  halt: async () => true,
  close: async () => {},
});

/** What goes to a thread and what comes back. */
export type ToThread =
  | { readonly kind: "run"; readonly work: StepWork; readonly folder: string }
  | { readonly kind: "stop" }
  | { readonly kind: "halt" };
export type FromThread =
  | { readonly kind: "halted" }
  | { readonly kind: "event"; readonly event: StepEvent }
  | { readonly kind: "done"; readonly done: Done }
  | { readonly kind: "failed"; readonly error: PlainError };

/** An error that can be sent. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly remedy: string | undefined;
  readonly passing: boolean;
  readonly stack: string | undefined;
}

/** What the system would not give is told as what it is here already: its code is not sent. */
export function toPlainError(thrown: unknown): PlainError {
  const error = userErrorOf(thrown) ?? thrown;
  return {
    name: error instanceof Error ? error.name : "Error",
    message: error instanceof Error ? error.message : String(error),
    remedy: undefined,
    ...(error instanceof UserError ? error.spelled(asSetting) : {}),
    passing: error instanceof UserError && error.passing,
    stack: error instanceof Error ? error.stack : undefined,
  };
}

function fromPlainError({ name, message, remedy, passing, stack }: PlainError): Error {
  if (name === "UserError") return new UserError(message, { passing, ...(remedy === undefined ? {} : { remedy }) });
  const error =
    name === "Interrupted" || name === "AbortError"
      ? new Interrupted(message)
      : name === "InvariantError"
        ? new InvariantError(message)
        : new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** Computing steps in workers that are kept for the next step; everything else here, programs that judge among it. */
export function threadedRunner(context: CarryContext): Runner {
  const { checkers: _, ...plain } = context; // functions cannot be sent
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const take = (): Worker => {
    const free = idle.pop();
    if (free !== undefined) return free;
    const made = new Worker(new URL("./thread.js", import.meta.url), { workerData: plain });
    all.add(made);
    made.once("exit", () => void all.delete(made));
    return made;
  };
  return {
    async run(work, folder, watch) {
      if (definitionOf(work.kind).lane !== "computing") return await carryOut(work, folder, context, watch);
      const worker = take();
      const done = await inThread(worker, work, folder, watch);
      idle.push(worker);
      return done;
    },
    async halt() {
      const late = setTimeout(HALT_MS, false);
      const halted = Promise.all([...all].map(haltThread)).then(() => true);
      return await Promise.race([halted, late]);
    },
    async close() {
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}

/** A thread answers between two pieces of native code, and waits from then on. */
function haltThread(worker: Worker): Promise<void> {
  return new Promise<void>((resolve) => {
    worker.on("message", (message: FromThread) => {
      if (message.kind === "halted") resolve();
    });
    worker.once("exit", () => resolve());
    worker.postMessage({ kind: "halt" } satisfies ToThread);
  });
}

/** A thread that fails is not used again: what it holds in memory is not known. */
function inThread(worker: Worker, work: StepWork, folder: string, watch: Watch): Promise<Done> {
  return new Promise<Done>((resolve, reject) => {
    const stop = (): void => worker.postMessage({ kind: "stop" } satisfies ToThread);
    const settle = (): void => {
      watch.signal?.removeEventListener("abort", stop);
      worker.removeAllListeners("message").removeAllListeners("error").off("exit", onExit);
    };
    const fail = (error: Error): void => {
      settle();
      worker.on("error", () => {});
      void worker.terminate();
      reject(error);
    };
    const onExit = (): void => fail(new UserError("the thread of this step ended by itself", { remedy: "run again" }));
    worker.on("message", (message: FromThread) => {
      if (message.kind === "event") watch.onEvent?.(message.event);
      else if (message.kind === "halted")
        return; // the process is about to end
      else if (message.kind === "failed") fail(fromPlainError(message.error));
      else {
        settle();
        resolve(message.done);
      }
    });
    worker.on("error", (error) => fail(isOutOfMemory(error) ? outOfMemory(error) : (error as Error)));
    worker.on("exit", onExit);
    watch.signal?.addEventListener("abort", stop, { once: true });
    worker.postMessage({ kind: "run", work, folder } satisfies ToThread);
    if (watch.signal?.aborted === true) stop();
  });
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
