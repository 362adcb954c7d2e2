/**
 * Peers: processes that load their model once, say who they are, and then work whenever they are told to go; and what is said of their
 * speed. May not know: what they compute.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { present } from "../../src/util/errors.js";
import { packageRoot } from "../../src/util/system.js";
import type { Figure } from "../bench.js";
import { median, rate } from "../measure.js";

/** What a peer says of one run: seconds, and whatever its kind of work gives. */
export interface Answer {
  readonly seconds: number;
  /** Training: of `seconds` those of loss and gradients alone. */
  readonly gradients?: number;
  readonly loss?: number;
  readonly norm?: number;
  /** Decoding: ids of each answer. */
  readonly ids?: readonly (readonly number[])[];
  /** Ranking: the log-likelihood of each response. */
  readonly sums?: readonly number[];
  /** The most memory that it has held, in bytes. */
  readonly peak?: number;
}

export interface Peer extends Disposable {
  readonly label: string;
  /** Every answer; the first, which grows memory and caches, counts for no time. */
  readonly found: Answer[];
  readonly once: () => Promise<Answer>;
}

/** Which program a peer is, and what to call it besides the name that it gives itself. */
export type Start = readonly [program: string, args: readonly string[], more?: string];

/** Resolves when the model is loaded. */
export async function startPeer([program, args, more = ""]: Start): Promise<Peer> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const stop = () => {
    child.kill();
  };
  process.once("exit", stop);
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done) throw new Error(`${program} ${args[0]} ended before it answered`);
    return JSON.parse(value);
  };
  const { peer } = (await next()) as { peer: string };
  const once = () => {
    child.stdin.write("go\n");
    return next() as Promise<Answer>;
  };
  return {
    ...{ label: `${peer}${more}`, found: [], once },
    [Symbol.dispose]() {
      process.off("exit", stop);
      stop();
    },
  };
}

/**
 * Starts all, then one run each, in turns, so that the machine's moods fall on all of them; and ends them.
 *
 * @param said  what to say of an answer besides its seconds
 */
export async function takeTurns(
  starts: readonly Start[],
  { runs, note }: { readonly runs: number; readonly note: (text: string) => void },
  said: (answer: Answer) => string = () => "",
): Promise<readonly [Peer, ...Peer[]]> {
  const peers: Peer[] = [];
  try {
    for (const start of starts) peers.push(await startPeer(start));
    for (let run = 0; run <= runs; run++) {
      for (const peer of peers) {
        const found = await peer.once();
        note(`run ${run} of ${runs}: ${peer.label}: ${found.seconds.toFixed(2)} s${said(found)}`);
        peer.found.push(found);
      }
    }
  } finally {
    for (const peer of peers) peer[Symbol.dispose]();
  }
  const [first, ...others] = peers;
  return [present(first, "a peer"), ...others];
}

export const timesOf = ({ found }: Peer): number[] => found.slice(1).map(({ seconds }) => seconds);

/** A peer's line: its speed, and beside others how many times as fast the first one is. */
export function speedOf(peer: Peer, [first, ...others]: readonly [Peer, ...Peer[]], work: Work): Figure {
  const faster = (median(timesOf(peer)) / median(timesOf(first))).toFixed(2);
  const { peak } = present(peer.found.at(-1), "an answer");
  const more = {
    ...(others.length === 0 ? {} : { [`${first.label} is … times as fast`]: faster }),
    ...(peak === undefined ? {} : { "peak memory": `${(peak / 1e9).toFixed(2)} GB` }),
    ...(peer === first ? {} : work.beside?.(peer, first)),
  };
  return rate({ ...work, work: peer.label, times: timesOf(peer), more });
}

interface Work {
  readonly unit: string;
  readonly amount: number;
  readonly operations?: number;
  /** Whether they computed the same. */
  readonly beside?: (peer: Peer, first: Peer) => Readonly<Record<string, string>>;
}

/** The furthest that two peers' losses or norms lie apart in any of the runs, relative. */
export function furthest(name: "loss" | "norm", peer: Peer, first: Peer): string {
  const apart = peer.found.map((one, run) =>
    Math.abs(present(one[name], name) / present(first.found[run]?.[name], name) - 1),
  );
  return Math.max(...apart).toExponential(0);
}

/** A script in Python beside the sources, or one of this build. */
export const pythonScript = (name: string): string => `${packageRoot()}/bench/peers/${name}`;
export const builtScript = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
