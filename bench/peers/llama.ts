/**
 * node-llama-cpp as a peer of `decode`: "go" in, seconds out. Greedy, no rules: its bindings drop an EOS rule, and leaving rules out is
 * to its advantage. Sequences share one context; each takes the next prompt when its answer is whole.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { answerTurns } from "./answer.js";
import type { DecodeWork } from "./tacit.js";

/** As much of the package as is used; it is no dependency. */
interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(ids: readonly number[], how: { temperature: number; yieldEogToken: boolean }): AsyncIterable<number>;
}
interface Llama {
  loadModel(options: { modelPath: string }): Promise<{
    createContext(options: object): Promise<{ getSequence(): Sequence }>;
  }>;
  dispose(): Promise<void>;
}

const text = { type: "string", default: "" } as const;
const { values } = parseArgs({
  options: { package: text, model: text, work: text, threads: text, sequences: { ...text, default: "16" } },
});
const require = createRequire(pathToFileURL(`${values.package}/package.json`));
const entry = require.resolve("node-llama-cpp");
const { getLlama } = (await import(pathToFileURL(entry).href)) as { getLlama: (options: object) => Promise<Llama> };
const { version } = JSON.parse(readFileSync(entry.replace(/dist\/index\.js$/, "package.json"), "utf8"));
const work = JSON.parse(readFileSync(values.work, "utf8")) as DecodeWork;
const [sequences, threads] = [Number(values.sequences), Number(values.threads)];

const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel: "error" });
const model = await llama.loadModel({ modelPath: values.model });
const contextSize = Math.max(...work.prompts.map((prompt) => prompt.length)) + work.tokens + 1;
const context = await model.createContext({ sequences, contextSize, batchSize: 512, threads });
const open = Array.from({ length: sequences }, () => context.getSequence());

async function answer(sequence: Sequence, prompt: readonly number[]): Promise<number[]> {
  await sequence.clearHistory();
  const ids: number[] = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    ids.push(token);
    if (ids.length === work.tokens) break;
  }
  return ids;
}

/** Its weights are others, so its ids are not compared; only that there are enough of them. */
async function all(): Promise<object> {
  const waiting = [...work.prompts].reverse();
  const take = async (sequence: Sequence) => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { length } = await answer(sequence, next);
      if (length !== work.tokens) throw new Error(`an answer has ${length} tokens, not ${work.tokens}`);
    }
  };
  await Promise.all(open.map(take));
  return {};
}

await answerTurns(`node-llama-cpp ${version}, ${sequences} sequences`, all);
await llama.dispose();
