/**
 * The folders of `../shared/cases`: small inputs that a version before handled wrongly, each with a line that says what is right. A test works
 * on a copy, with the command as a process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { modelFolder } from "../../parity/fixtures.js";
import { plainEnvironment, repositoryRoot, type StagedPackage, stagePackage } from "../../staged-package.js";
import { type TemporaryFolder, temporaryFolder } from "../../temporary-folder.js";

export const casesRoot = join(repositoryRoot, "..", "shared", "cases");
/** For the names of what is left out; empty where the cases are there. */
export const reason = existsSync(casesRoot) ? "" : ` (skipped: ${casesRoot} is not there)`;

/** Any model does for these. */
export const anyModel = modelFolder("llama-tied");
export const tinyFile = (name: string): string => join(repositoryRoot, "assets", "tiny", name);

export interface Ended {
  readonly status: number | null;
  /** Where it ended by one. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface Bench {
  readonly folder: TemporaryFolder;
  /** A copy of a case's folder that may be written to. */
  copy(name: string): string;
  start(args: readonly string[], cwd: string, environment?: NodeJS.ProcessEnv): Running;
  /** Runs the command to its end. It says what is wrong in words, and is never at a loss: no stack, no defect of ours. */
  run(args: readonly string[], cwd: string, environment?: NodeJS.ProcessEnv): Promise<Ended>;
}

/** Nothing in the cases is large: what takes longer hangs. */
const PATIENCE_SECONDS = 120;

/** To be called once at the top of a test file. */
export function openBench(): Bench {
  const folder = temporaryFolder();
  let staged: StagedPackage;
  let copies = 0;
  beforeAll(() => {
    if (reason === "") staged = stagePackage();
  }, 240_000);
  afterAll(() => staged?.remove());
  const bench: Bench = {
    folder,
    copy(name) {
      const copy = folder.path(`${name.replaceAll("/", " ")} ${copies++}`);
      cpSync(join(casesRoot, name), copy, { recursive: true });
      for (const entry of ["", ...readdirSync(copy, { recursive: true, encoding: "utf8" })]) {
        const path = join(copy, entry);
        chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
      }
      return copy;
    },
    start(args, cwd, environment = {}) {
      const begun = performance.now();
      const child = spawn(process.execPath, [join(staged.root, "dist", "cli", "main.js"), ...args], {
        cwd,
        env: { ...plainEnvironment, OPENAI_API_KEY: "sk-none", ...environment },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const text = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"] as const)
        child[stream].setEncoding("utf8").on("data", (chunk: string) => {
          text[stream] += chunk;
        });
      const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_SECONDS * 1000);
      const ended = once(child, "close").then(([status, signal]) => {
        clearTimeout(patience);
        const how = { status: status as number | null, signal: signal as NodeJS.Signals | null };
        return { ...how, ...text, seconds: (performance.now() - begun) / 1000 };
      });
      return { child, ended };
    },
    async run(args, cwd, environment) {
      const ended = await bench.start(args, cwd, environment).ended;
      expect(ended.status, `ended within ${PATIENCE_SECONDS} s: ${ended.stderr}`).not.toBe(null);
      expect(ended.stderr).not.toMatch(/^\s+at .+:\d+:\d+\)?$|internal:|a defect of ours/m);
      expect([0, 2, 130]).toContain(ended.status);
      return ended;
    },
  };
  return bench;
}

/** The user's mistake, told in one line that begins with the command's name. */
export function expectRefused({ status, stderr }: Ended, ...words: readonly RegExp[]): void {
  expect(status, stderr).toBe(2);
  const lines = stderr.split("\n").filter((line) => line.startsWith("tacit: "));
  expect(lines, stderr).toHaveLength(1);
  for (const word of words) expect(lines[0]).toMatch(word);
}

export const readRows = <Row>(path: string): Row[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);

export interface Answering {
  readonly url: string;
  /** How many requests came. */
  asked(): number;
  close(): Promise<void>;
}

/** A judge that answers every request with the same bytes, or each by its path. */
export async function openAnswering(body: string | ((path: string) => string)): Promise<Answering> {
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      asked++;
      const text = typeof body === "string" ? body : body(request.url ?? "");
      response.writeHead(200, { "content-type": "application/json" }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Lets the judge file of a case ask another server. */
export function redirect(file: string, url: string): void {
  writeFileSync(file, readFileSync(file, "utf8").replace(/http:\/\/127\.0\.0\.1:\d+/, url));
}
