/**
 * Peers: processes that load their model once, say who they are, and then work whenever they are told to go; and what is said of their
 * speed. May not know: what they compute.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { machine, median } from "../measure.mjs";

/**
 * Resolves when the model is loaded.
 *
 * @param more  what to call it besides the name that it gives itself
 */
export async function startPeer(command, args, more = "") {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args[0]} ended before it answered`);
    return JSON.parse(value);
  };
  const label = `${(await next()).peer}${more}`;
  const once = () => {
    child.stdin.write("go\n");
    return next();
  };
  return { label, times: [], found: [], once, stop: () => child.kill() };
}

/**
 * One run each, in turns, so that the machine's moods fall on all of them. `found` of a peer gets every answer, `times` the seconds of
 * all but the first, which grows memory and caches.
 *
 * @param said  what to say of an answer besides its seconds
 */
export async function takeTurns(peers, runs, said = () => "") {
  for (let run = 0; run <= runs; run++) {
    for (const peer of peers) {
      process.stderr.write(`run ${run} of ${runs}: ${peer.label} …`);
      const found = await peer.once();
      process.stderr.write(` ${found.seconds.toFixed(2)} s${said(found)}\n`);
      if (run > 0) peer.times.push(found.seconds);
      peer.found.push(found);
    }
  }
}

/** @param amount  tokens that one run works through */
export function speedOf({ label, times }, first, amount) {
  const seconds = median(times);
  return {
    label,
    seconds,
    rate: amount / seconds,
    lowest: amount / Math.max(...times),
    highest: amount / Math.min(...times),
    faster: seconds / median(first.times),
  };
}

/** The furthest that two peers' `name` ("loss") lie apart in any of the runs, relative. */
export function furthest(name, { found }, first) {
  return Math.max(...found.map((one, run) => Math.abs(one[name] / first.found[run][name] - 1)));
}

/** The first cells of a table's header, and of its rows. */
export const speedHeader = (first) => ["", "figure: median (lowest to highest)", `${first.label} is … times as fast`];
export const speedCells = ({ label, rate, lowest, highest, faster }) => [
  label,
  `${round(rate)} tokens/s (${round(lowest)} to ${round(highest)})`,
  faster.toFixed(2),
];

export function markdown(header, rows) {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

export function round(value) {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

/** What the figures depend on, on one line. */
export function headline(threads, runs) {
  const { processor, cores, node, system, date, load } = machine(threads);
  return `${processor} · ${cores} cores · ${threads} threads · Node ${node} · ${system} · ${date} · load ${load} · medians of ${runs}`;
}
