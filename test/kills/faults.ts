/** A command as a process whose file operations are counted, and one of which meets a fault. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { plainEnvironment } from "../staged-package.js";

/** What the preload does at the operation `at`; its own head says what each word means. */
export interface Fault {
  readonly at: number;
  readonly how: "kill" | "half" | "stop" | "eio" | "enospc";
}

/** One writing file operation, as the preload logs it. */
export interface Operation {
  readonly n: number;
  readonly operation: string;
  readonly path: string;
  /** It writes bytes, so that half of them can be written. */
  readonly data: boolean;
}

export interface Place {
  /** The script to run: `dist/cli/main.js`, mostly. */
  readonly script: string;
  /** Working folder of the process: its results lie below. */
  readonly folder: string;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Those that are done, and the one under way. */
  operations(): readonly Operation[];
}

/** Nothing that a command writes takes longer; a process that still runs then hangs, and is ended. */
const PATIENCE_MS = 240_000;

/** Temporary files go to `folder/tmp`, so that what is left of them is seen. The log lies beside the folder. */
export function start({ script, folder }: Place, args: readonly string[], fault?: Fault): Started {
  const temporary = join(folder, "tmp");
  mkdirSync(temporary, { recursive: true });
  const log = `${folder}.${process.hrtime.bigint()}.log`;
  const child = spawn(process.execPath, [script, ...args], {
    cwd: folder,
    env: {
      ...plainEnvironment,
      NODE_OPTIONS: `--import ${join(import.meta.dirname, "preload.mjs")}`,
      TACIT_FAULT: JSON.stringify({ log, ...fault }),
      TMPDIR: temporary,
      OPENAI_API_KEY: "sk-none",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (chunk: string) => {
      text[stream] += chunk;
    });
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const ended = once(child, "close").then(([status, signal]) => {
    clearTimeout(patience);
    return { status: status as number | null, signal: signal as NodeJS.Signals | null, ...text };
  });
  return { child, ended, operations: () => readOperations(log) };
}

export function readOperations(log: string): Operation[] {
  if (!existsSync(log)) return [];
  const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Operation);
}

/** What stands in the folder's own terms: `out/run.json`; names drawn by chance are all the same. */
export function operationText({ operation, path }: Operation, folder: string): string {
  const shown = path.startsWith(folder) ? path.slice(folder.length + 1) : path;
  return `${operation} ${shown.replaceAll(/[0-9a-f]{12,}/g, "*")}`;
}
