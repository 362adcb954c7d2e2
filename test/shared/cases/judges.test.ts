/** What judges on loopback answer, and what is made of it. Needs ../shared/cases. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Annotation, AnnotationCall } from "../../../src/records/annotations.js";
import { type Answering, expectRefused, openAnswering, openBench, readRows, reason, redirect } from "./cases.js";

vi.setConfig({ testTimeout: 240_000 });

const bench = openBench();
let server: Answering | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const JUDGE = ["judge", "mine.json", "--baseline", "base.json", "--judge", "judge.yaml", "--out", "out", "--json"];

/** Runs the case against its own body, or another one. */
async function judge(name: string, change: (body: string) => string = (body) => body) {
  const folder = bench.copy(name);
  server = await openAnswering(change(readFileSync(join(folder, "body.json"), "utf8")));
  redirect(join(folder, "judge.yaml"), server.url);
  const ended = await bench.run(JUDGE, folder);
  const path = join(folder, "out", "annotations.json");
  const annotations = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Annotation[]) : [];
  return { ended, folder, annotations, calls: annotations.flatMap(({ calls }) => calls ?? []) };
}

/** P(the answer shown first is better); a preference is 1 + P(the model's is better), and `switched` says that the model's was first. */
const first = ({ switched, preference }: AnnotationCall): number => {
  const model = (preference ?? Number.NaN) - 1;
  return switched ? model : 1 - model;
};

describe.skipIf(reason !== "")(`cases of judges${reason}`, () => {
  it("judge-duplicate-top-tokens: probabilities of one text add up, or the likelier counts", async () => {
    const { ended, calls } = await judge("judge-duplicate-top-tokens");
    expect([ended.status, calls.length]).toEqual([0, 3]);
    // (0.6 + 0.05) / (0.6 + 0.05 + 0.3)
    for (const call of calls) expect(Math.abs(first(call) - 0.65 / 0.95)).toBeLessThan(1e-3);
  });

  it("judge-verdict-then-explanation: the reply's first line is the verdict, or it is ambiguous; never the last marker", async () => {
    const { calls } = await judge("judge-verdict-then-explanation");
    expect(calls).toHaveLength(3);
    for (const call of calls) if (call.outcome !== "unparsed") expect(first(call)).toBe(1);
  });

  it("judge-json-verdict: the key's value is the verdict, or it is ambiguous; never the last marker", async () => {
    const { calls, ended } = await judge("judge-json-verdict");
    if (calls.length === 0) expectRefused(ended);
    for (const call of calls) if (call.outcome !== "unparsed") expect(first(call)).toBe(1);
  });

  it.each([
    ["closed", (body: string) => body],
    ["never closed", (body: string) => body.replace("</think>", "")],
    ["closed, only its end is sent", (body: string) => body.replace("<think>", "")],
  ])("judge-reasoning-is-verdict: a marker in reasoning (%s) is no verdict", async (_, change) => {
    const { calls, annotations } = await judge("judge-reasoning-is-verdict", change);
    expect(annotations.filter(({ preference }) => preference !== null && preference !== undefined)).toEqual([]);
    for (const call of calls) expect(call.outcome).not.toBe("judged");
  });

  it("judge-no-top-logprobs: says that top_logprobs is missing, and names the other way to a verdict", async () => {
    const { ended, folder } = await judge("judge-no-top-logprobs");
    const said = [ended.stdout, ended.stderr, readIfThere(join(folder, "out", "run.json"))].join("\n");
    expect(said).toContain("top_logprobs");
    expect(said).toMatch(/verdict: sampled/);
    expect(said).not.toContain("no log-probabilities in the reply");
  });

  it("judge-exit-status: no usable reply is exit status 2, with the server's words, and no rate", async () => {
    const { ended, folder } = await judge("judge-exit-status");
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain("Rate limit exceeded: free-models-per-day");
    expect(readFileSync(join(folder, "out", "ledger.jsonl"), "utf8")).toContain("Rate limit exceeded");
    expect(ended.stdout).not.toMatch(/win_rate":\s*\d/);
  });

  it.each([
    ["HTML", "<html>hi</html>"],
    ["server-sent events", 'data: {"choices":[]}\n\ndata: [DONE]\n\n'],
    ["an empty object", "{}"],
  ])("judge-exit-status: so is %s", async (_, body) => {
    const { ended } = await judge("judge-exit-status", () => body);
    expect(ended.status).toBe(2);
  });

  it("judge-exit-status: so is a server that is not there", async () => {
    const folder = bench.copy("judge-exit-status");
    redirect(join(folder, "judge.yaml"), "http://127.0.0.1:9");
    expectRefused(await bench.run(JUDGE, folder));
  });

  it.each([
    ["break/judge-usage", "usage"],
    ["break/judge-nanlp", "nanlp"],
  ])("%s: absurd numbers of a server are no defect of ours, and what was paid for is not asked again", async (name) => {
    const folder = bench.copy(name);
    server = await openAnswering((path) => evilBody(path));
    redirect(join(folder, "judge.yaml"), server.url);
    const args = ["judge", "a.json", "--baseline", "b.json", "--judge", "judge.yaml", "--out", "out", "--json"];
    const run = await bench.run(args, folder);
    const replies = (): unknown[] =>
      readRows<{ body?: unknown; status?: number }>(join(folder, "out", "ledger.jsonl")).filter(
        ({ status }) => status === 200,
      );
    expect(replies().length).toBeGreaterThanOrEqual(3);
    expect(run.stdout).not.toMatch(/e\+30\d|Infinity|NaN/);
    if (name === "break/judge-usage") expect(run.status).toBe(0); // the verdicts are sound
    const [asked, kept] = [server.asked(), replies().length];
    const again = await bench.run(args, folder);
    expect(again.status).toBe(run.status);
    if (run.status === 0) expect(server.asked()).toBe(asked);
    expect(replies().length).toBeGreaterThanOrEqual(kept);
  });

  it("break/yaml-cyclic: a judge file that contains itself is refused", async () => {
    const folder = bench.copy("break/yaml-cyclic");
    for (const name of ["a", "b"])
      writeFileSync(
        join(folder, `${name}.json`),
        JSON.stringify([{ instruction: "Q", output: name, generator: name }]),
      );
    const args = ["judge", "a.json", "--baseline", "b.json", "--judge", "judge.yaml", "--out", "out"];
    expectRefused(await bench.run(args, folder), /judge\.yaml/);
  });
});

const readIfThere = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** A completion as a judge sends it, with one number that is none. */
function evilBody(path: string): string {
  const top = '[{"token": "m", "logprob": LP}, {"token": "M", "logprob": -3}]';
  const body = `{"choices": [{"finish_reason": "length", "message": {"content": "m"}, "logprobs": {"content": [{"top_logprobs": ${top}}]}}], "usage": USAGE}`;
  const usage = path.startsWith("/usage")
    ? '{"prompt_tokens": 1e308, "completion_tokens": 1e308}'
    : '{"prompt_tokens": 1, "completion_tokens": 1}';
  return body.replace("LP", path.startsWith("/nanlp") ? "1e999" : "-0.1").replace("USAGE", usage);
}
