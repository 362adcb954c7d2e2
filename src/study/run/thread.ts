/** The thread that computes: takes one step at a time from `runner.ts`, carries it out, and says how it ended. */
import { parentPort, workerData } from "node:worker_threads";
import { thinned } from "../../records/events.js";
import { Interrupted, present } from "../../util/errors.js";
import { type CarryContext, carryOut } from "./carry-out.js";
import { type FromThread, type ToThread, toPlainError } from "./runner.js";

/** Milliseconds between two events about how far it is. */
const PROGRESS_MS = 100;

const port = present(parentPort, "the port of a thread");
const context = workerData as CarryContext;
const say = (message: FromThread): void => port.postMessage(message);
let controller = new AbortController();

port.on("message", (message: ToThread) => {
  if (message.kind === "halt") halt();
  else if (message.kind === "stop") controller.abort(new Interrupted("what was finished is kept"));
  else void carry(message);
});

/** Forever: a thread that waits here may be ended, one in native code may not. */
function halt(): void {
  say({ kind: "halted" });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function carry({ work, folder }: Extract<ToThread, { kind: "run" }>): Promise<void> {
  controller = new AbortController();
  const onEvent = thinned((event) => say({ kind: "event", event }), PROGRESS_MS);
  try {
    say({ kind: "done", done: await carryOut(work, folder, context, { signal: controller.signal, onEvent }) });
  } catch (error) {
    say({ kind: "failed", error: toPlainError(error) });
  }
}
