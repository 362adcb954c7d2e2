/**
 * node-llama-cpp as a peer of run.mjs: "go" in, seconds out. Greedy, no rules: its bindings drop an EOS rule, and leaving rules out is
 * to its advantage. Sequences share one context; each takes the next prompt when its answer is whole.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const text = { type: "string" };
const { values } = parseArgs({
  options: { package: text, model: text, work: text, threads: text, sequences: { ...text, default: "16" } },
});
const require = createRequire(pathToFileURL(`${values.package}/package.json`));
const entry = require.resolve("node-llama-cpp");
const { getLlama } = await import(pathToFileURL(entry).href);
const { version } = JSON.parse(readFileSync(entry.replace(/dist\/index\.js$/, "package.json"), "utf8"));
const work = JSON.parse(readFileSync(values.work, "utf8"));
const sequences = Number(values.sequences);
const longest = Math.max(...work.prompts.map((prompt) => prompt.length)) + work.tokens + 1;

const llama = await getLlama({ gpu: false, build: "never", maxThreads: Number(values.threads), logLevel: "error" });
const model = await llama.loadModel({ modelPath: values.model });
const context = await model.createContext({
  sequences,
  contextSize: longest,
  batchSize: 512,
  threads: Number(values.threads),
});
const open = Array.from({ length: sequences }, () => context.getSequence());

async function answer(sequence, prompt) {
  await sequence.clearHistory();
  const ids = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    ids.push(token);
    if (ids.length === work.tokens) break;
  }
  return ids;
}

async function all() {
  const waiting = work.prompts.map((prompt, i) => ({ prompt, i })).reverse();
  const ids = new Array(work.prompts.length);
  const take = async (sequence) => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      ids[next.i] = await answer(sequence, next.prompt);
  };
  const started = performance.now();
  await Promise.all(open.map(take));
  const seconds = (performance.now() - started) / 1000;
  const short = ids.filter(({ length }) => length !== work.tokens).length;
  return { seconds, short, tokens: ids.reduce((total, { length }) => total + length, 0) };
}

process.stdout.write(`${JSON.stringify({ peer: `node-llama-cpp ${version}, ${sequences} sequences` })}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await all())}\n`);
}
await llama.dispose();
