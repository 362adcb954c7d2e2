/**
 * The thread that hears Ctrl-C and SIGTERM for the main thread, which cannot while it is in native code. Node gives signals to the main
 * thread alone; libuv gives them to every event loop that asks, and Node's own handle for that is reached by `process.binding`
 * (docs/decisions/command-line.md).
 * May not know: what the main thread does.
 */
import { constants } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { present } from "../util/errors.js";
import type { FromSignalThread } from "./signals.js";

/** From the second signal to the end, if the main thread does not end the process itself: it is in native code. */
const ENDING_MS = 1700;
/**
 * From a first SIGTERM to the end. Who sends one is a program that kills a few seconds later; files are whole and finished work is kept at
 * any moment. After Ctrl-C the person decides.
 */
const SIGTERM_MS = 5000;
const LAST_RESORT_MS = 150;

interface SignalHandle {
  onsignal: () => void;
  start(signal: number): number;
  close(): void;
}

interface WithBinding {
  noDeprecation: boolean;
  binding(name: "signal_wrap"): { readonly Signal: new () => SignalHandle };
}

const port = present(parentPort, "the port of a thread");
const say = (message: FromSignalThread): void => port.postMessage(message);
const node = process as unknown as WithBinding;
node.noDeprecation = true; // of this thread
const { Signal } = node.binding("signal_wrap");

let count = 0;
const handles = (["SIGINT", "SIGTERM"] as const).map((name) => {
  const handle = new Signal();
  handle.onsignal = () => {
    say({ kind: "signal", count: ++count });
    if (count === 2) setTimeout(end, ENDING_MS);
    else if (count === 1 && name === "SIGTERM") setTimeout(end, SIGTERM_MS);
  };
  if (handle.start(constants.signals[name]) !== 0) throw new Error(`cannot listen for ${name}`);
  return handle;
});
port.on("message", end);
port.unref();
Atomics.store(workerData as Int32Array, 0, 1);
say({ kind: "listening" });

/** By SIGINT, whose default is back when nobody listens: a shell sees 130, as after every interruption. */
function end(): void {
  for (const handle of handles) handle.close();
  process.kill(process.pid, "SIGINT");
  setTimeout(() => process.kill(process.pid, "SIGKILL"), LAST_RESORT_MS); // the main thread still listened itself
}
