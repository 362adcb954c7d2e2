/**
 * `tacit judge` as processes against a judge on loopback: started, watched through their ledger, and killed at moments drawn by chance.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import type { ReplyLine } from "../src/records/reply-ledger.js";
import { randomStream } from "../src/util/random.js";
import { openJudgeServer, type ServerOptions, transient } from "./judge-server.js";
import { plainEnvironment, type StagedPackage } from "./staged-package.js";
import type { TemporaryFolder } from "./temporary-folder.js";

const CONCURRENCY = 8;
/** The key that every process is given. */
export const KEY = "sk-loopback-7f3a9c2e1b";

export interface Running {
  readonly child: ChildProcess;
  readonly text: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

export type JudgeProcesses = ReturnType<typeof openJudgeProcesses>;

/** @param staged  read when a process starts */
export function openJudgeProcesses(folder: TemporaryFolder, staged: () => StagedPackage) {
  const outputsOf = (generator: string, n: number): string =>
    folder.write(
      `${generator}-${n}.json`,
      JSON.stringify(
        Array.from({ length: n }, (_, i) => ({
          instruction: `Question ${i}?`,
          output: `${generator} says ${i}`,
          generator,
        })),
      ),
    );

  const judgeFile = (url: string): string =>
    folder.write(
      "judge.yaml",
      `kind: openai\nbase_url: ${url}\nmodel: a-judge\nverdict: logprobs\nlimits: { backoff_seconds: 0.002, retries: 20 }\n`,
    );

  function start(out: string, url: string, n: number, more: readonly string[] = []): Running {
    const child = spawn(
      process.execPath,
      [
        join(staged().root, "dist", "cli", "main.js"),
        ...["judge", outputsOf("model", n), "--baseline", outputsOf("base", n), "--judge", judgeFile(url)],
        ...["--out", folder.path(out), "--concurrency", String(CONCURRENCY), ...more],
      ],
      { env: { ...plainEnvironment, OPENAI_API_KEY: KEY } },
    );
    const text = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const)
      child[stream].setEncoding("utf8").on("data", (chunk: string) => {
        text[stream] += chunk;
      });
    return { child, text, ended: once(child, "close").then(([status]) => status as number | null) };
  }

  /** Finished lines only: the last one may be half written. */
  const ledgerOf = (out: string): ReplyLine[] => {
    const path = join(folder.path(out), "ledger.jsonl");
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as ReplyLine);
  };
  const repliesOf = (out: string) => ledgerOf(out).flatMap((line) => ("body" in line ? [line] : []));
  const bytesOf = (out: string): string[] =>
    ["annotations.json", "run.json"].map((name) => readFileSync(join(folder.path(out), name), "utf8"));
  return { folder, start, ledgerOf, repliesOf, bytesOf };
}

const idOf = (body: unknown): number => Number((body as { id: string }).id.replace("chatcmpl-", ""));

/** Until then, or until the process has ended. */
export async function until(condition: () => boolean, { child }: Running): Promise<void> {
  while (!condition() && child.exitCode === null) await setTimeout(1);
}

/**
 * A run killed at so many moments and started again each time: no reply is asked for twice, none is lost, and the bytes are those of a run
 * that was left alone.
 *
 * @param atMost  replies of one process before it dies
 */
export async function killAndGoOn(
  { folder, start, ledgerOf, repliesOf, bytesOf }: JudgeProcesses,
  { pairs, moments, atMost }: { readonly pairs: number; readonly moments: number; readonly atMost: number },
): Promise<void> {
  const random = randomStream(7, "moments of death"); // drawn once: reproducible, and not chosen to suit
  const misbehave: NonNullable<ServerOptions["misbehave"]> = (id) =>
    id % 9 === 0 ? transient[(id / 9) % transient.length] : undefined;
  const server = await openJudgeServer({ misbehave, delayMs: 1 });
  const { url, asked, answered } = server;
  const more = ["--order", "alpaca_eval"];
  let kills = 0;
  for (; kills < moments; kills++) {
    const replies = repliesOf("killed");
    const kept = new Set(replies.map(({ body }) => asked[idOf(body)]!.content));
    const before = { asked: asked.length, answered: answered.size };
    const running = start("killed", url, pairs, more);
    const [further, delay] = [1 + random.integer(atMost), random.integer(4)];
    await until(() => answered.size >= before.answered + further, running);
    await setTimeout(delay);
    running.child.kill("SIGKILL");
    await running.ended;
    // What was in the ledger is not asked again.
    expect(asked.slice(before.asked).filter(({ content }) => kept.has(content))).toEqual([]);
    // What was answered is in the ledger, but for the requests that were under way at that moment.
    expect(answered.size - before.answered - (repliesOf("killed").length - replies.length)).toBeLessThanOrEqual(
      CONCURRENCY,
    );
  }
  expect([kills, existsSync(join(folder.path("killed"), "annotations.json"))]).toEqual([moments, false]);
  const left = pairs - repliesOf("killed").length;
  expect(left).toBeGreaterThan(0);
  expect(await start("killed", url, pairs, more).ended).toBe(0);
  const keys = repliesOf("killed").map(({ key }) => key);
  expect([keys.length, new Set(keys).size]).toEqual([pairs, pairs]);
  expect(answered.size - pairs).toBeLessThanOrEqual(moments * CONCURRENCY);
  const requests = asked.length;
  expect(await start("whole", url, pairs, more).ended).toBe(0);
  // Left alone, every request that the server saw has its line.
  expect(ledgerOf("whole").length).toBe(asked.length - requests);
  // The completions' ids count requests; all else is the same.
  const withoutIds = (out: string): string[] => bytesOf(out).map((text) => text.replaceAll(/chatcmpl-\d+/g, "id"));
  expect(withoutIds("killed")).toEqual(withoutIds("whole"));
  const files = readdirSync(folder.path("killed")).sort();
  expect(files).toEqual(["annotations.json", "events.jsonl", "ledger.jsonl", "run.json"]);
  await server.close();
}
