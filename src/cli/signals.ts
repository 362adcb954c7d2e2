/**
 * Ctrl-C and SIGTERM, heard even while the main thread is in native code or reads weights: a thread of its own listens
 * (`signal-thread.ts`), says what it heard, and ends the process where nobody here answers in time.
 * May not know: what a command does with the first signal.
 */
import { Worker } from "node:worker_threads";

/** What the thread says: that it listens, or how many signals it has heard. */
export type FromSignalThread = { readonly kind: "listening" } | { readonly kind: "signal"; readonly count: number };

export interface SignalHandlers {
  readonly onFirst: () => void;
  /** Must end the process; a little later the thread does. */
  readonly onSecond: () => void;
}

/** Most commands are over before it; the thread costs a few hundredths of a second of another core. */
const START_MS = 150;

export interface SignalListener {
  /** The command is one that takes long: listens from now on in a thread of its own. */
  start(): void;
  /** Ends the process at once, without a word to its workers: by SIGINT, which a shell shows as 130. */
  endBySignal(): void;
  close(): void;
}

/**
 * Until the thread listens, and where it cannot, the signals are heard by this thread between two turns of its event loop.
 */
export function listenForSignals({ onFirst, onSecond }: SignalHandlers): SignalListener {
  let here = 0;
  const heard = (count: number): void => {
    if (count === 1) onFirst();
    else onSecond();
  };
  /** 1 from when the thread listens: a signal that both hear counts once. */
  const listening = new Int32Array(new SharedArrayBuffer(4));
  const onSignal = (): void => {
    if (Atomics.load(listening, 0) === 0) heard(++here);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const stopListening = (): void => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  let thread: Worker | undefined;
  const start = (): void => {
    clearTimeout(timer);
    thread ??= startThread(listening, (message) => {
      if (message.kind === "listening") stopListening();
      else heard(here + message.count);
    });
  };
  const timer = setTimeout(start, START_MS).unref();
  return {
    start,
    endBySignal() {
      stopListening();
      if (Atomics.load(listening, 0) === 0) process.kill(process.pid, "SIGINT");
      else thread?.postMessage("end");
    },
    close() {
      clearTimeout(timer);
      stopListening();
      void thread?.terminate();
    },
  };
}

function startThread(listening: Int32Array, onMessage: (message: FromSignalThread) => void): Worker {
  const thread = new Worker(new URL("./signal-thread.js", import.meta.url), {
    workerData: listening,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  thread.unref();
  thread.on("message", onMessage);
  thread.on("error", () => {}); // cannot be had here: signals go on being heard between two turns
  return thread;
}
