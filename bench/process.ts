/** A whole process from start to end, and the command as one. May not know: what it does. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { present } from "../src/util/errors.js";

/** Seconds that passed, seconds on the processor, which the machine's other work does not stretch, and what it printed. */
export interface Timed {
  readonly passed: number;
  readonly processor: number;
  readonly output: string;
  readonly errors: string;
}

/** @throws  the program failed */
export function timed(program: string, args: readonly string[]): Timed {
  const started = performance.now();
  // A shell's times are those of its children; Node gives none of its own. They go where nothing else is printed.
  const { status, output, error } = spawnSync("sh", ["-c", '"$@" || exit; times >&3', "sh", program, ...args], {
    ...{ encoding: "utf8", maxBuffer: 2 ** 30, stdio: ["ignore", "pipe", "pipe", "pipe"] },
  });
  const passed = (performance.now() - started) / 1000;
  if (error !== undefined) throw error;
  const [, printed, errors, times] = output.map((text) => text ?? "");
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}: ${errors?.slice(-500)}`);
  const [user, system] = [...present(times?.split("\n")[1], "times").matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => 60 * Number(minutes) + Number(rest),
  );
  const processor = present(user, "user time") + present(system, "system time");
  return { passed, processor, output: present(printed, "output"), errors: present(errors, "errors") };
}

/** What `timed` takes to run the command `tacit` of this build. */
export const tacit = (...args: readonly string[]): [string, string[]] => [
  process.execPath,
  [fileURLToPath(new URL("../src/cli/main.js", import.meta.url)), ...args],
];
