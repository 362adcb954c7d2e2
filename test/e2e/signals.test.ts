/** Ctrl-C and SIGTERM while native code runs, and while a study's threads do: the second one ends the process, without a word from C++. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelFolder } from "../parity/fixtures.js";
import { plainEnvironment, type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

/** One native call that takes tens of seconds; without a session of its own to make, a file that is read for as long. */
const DRIVER = `
import { runAction } from "./dist/cli/run-action.js";
import { createCpuDevice } from "./dist/runtime/cpu.js";
import { createGraph, input, matmul } from "./dist/graph/build.js";
const watched = process.argv[2] === "watched";
await runAction({}, async (io) => {
  if (watched) io.signal;
  const n = 4096;
  const graph = createGraph();
  const a = input(graph, "a", "f32", [n, n]);
  let product = a;
  for (let i = 0; i < 24; i++) product = matmul(product, a);
  const device = createCpuDevice(1);
  const program = await device.compile(graph, new Map([["product", product]]));
  const zeros = device.fromFloats(new Float32Array(n * n), [n, n]);
  while (process.listenerCount("SIGINT") > 0) await new Promise((done) => setTimeout(done, 20)); // until the thread listens
  process.stderr.write("native\\n");
  await program.run({ a: zeros });
  process.stderr.write("came back\\n");
});
`;

const folder = temporaryFolder();
let staged: StagedPackage;
beforeAll(() => {
  staged = stagePackage();
  writeFileSync(join(staged.root, "driver.mjs"), DRIVER);
});
afterAll(() => staged.remove());

interface Running {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

function start(args: readonly string[]): Running {
  const child = spawn(process.execPath, [...args], {
    cwd: staged.root,
    env: plainEnvironment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  const ended = once(child, "close").then(([code, signal]) => [code, signal] as const);
  return { child, said: () => text, ended };
}

async function saying({ said, child }: Running, word: string): Promise<void> {
  while (!said().includes(word) && child.exitCode === null && child.signalCode === null) await setTimeout(10);
}

/** Seconds from the last signal to the end. */
async function endedAfter(running: Running, signals: readonly NodeJS.Signals[]): Promise<number> {
  await saying(running, "native");
  await setTimeout(200);
  for (const signal of signals) {
    running.child.kill(signal);
    await setTimeout(100);
  }
  const last = performance.now() - 100;
  await running.ended;
  expect(running.said()).not.toContain("came back");
  expect(running.said()).not.toMatch(/terminate called|Napi::Error/);
  return (performance.now() - last) / 1000;
}

describe("while native code runs", () => {
  it.each([
    ["SIGINT", "SIGINT", "watched"],
    ["SIGTERM", "SIGTERM", "watched"],
    ["SIGTERM", "SIGINT", "unwatched"],
  ] as const)("%s and %s end a command that is %s within two seconds", async (first, second, how) => {
    const running = start(["driver.mjs", how]);
    expect(await endedAfter(running, [first, second])).toBeLessThan(2.3); // of which the last 0.3 is a busy machine's
    expect((await running.ended)[0]).not.toBe(1);
  });

  it("one SIGTERM ends a command a few seconds later", async () => {
    const running = start(["driver.mjs", "watched"]);
    const seconds = await endedAfter(running, ["SIGTERM"]);
    expect(seconds).toBeGreaterThan(3); // it was given time
    expect(seconds).toBeLessThan(7);
  });
});

describe("a study", () => {
  it.each([0, 1, 2, 3])("is ended by the second signal at once, without a word from C++ (%i)", async (i) => {
    const out = folder.path(`study-${i}`);
    const main = join("dist", "cli", "main.js");
    const model = ["--model", modelFolder("llama-tied"), "--threads", "1"];
    const running = start([main, "study", "run", "tiny", ...model, "--out", out]);
    await saying(running, `${2 + 4 * i}/`);
    const signal = i % 2 === 0 ? "SIGINT" : "SIGTERM";
    running.child.kill(signal);
    await setTimeout(10 * i);
    running.child.kill(signal);
    const at = performance.now();
    const [code, by] = await running.ended;
    expect(performance.now() - at).toBeLessThan(2300);
    expect([130, "SIGINT", "SIGTERM"]).toContain(code ?? by);
    expect(running.said()).not.toMatch(/terminate called|Napi::Error/);
  });
});
