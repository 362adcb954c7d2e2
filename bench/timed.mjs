/** A whole process from start to end: the time that passed and its time on the processor. May not know: which program. */
import { spawnSync } from "node:child_process";

/**
 * Seconds, `{ passed, processor }`; the machine's other work stretches only the former.
 * @throws  the program failed
 */
export function timed(program, args) {
  const started = performance.now();
  // a shell's times are those of its children; Node gives none of its own
  const { status, stderr, stdout } = spawnSync("sh", ["-c", '"$@" >&2 || exit; times', "sh", program, ...args], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.slice(-500)}`);
  const passed = (performance.now() - started) / 1000;
  const [user, system] = stdout.trim().split("\n")[1].split(" ").map(seconds);
  return { passed, processor: user + system };
}

/** `0m1.25s` */
function seconds(time) {
  const [, minutes, rest] = /^(\d+)m([\d.]+)s$/.exec(time);
  return 60 * Number(minutes) + Number(rest);
}
