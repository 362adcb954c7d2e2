/**
 * How fast are answers? Prompts side by side with the paper's three rules, greedy; nothing stops them before their last token.
 * Beside Transformers with `--python`, and node-llama-cpp with `--llama` and `--gguf`.
 */
import { writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { loadPrompts } from "../src/data/prompts.js";
import { readModelConfig } from "../src/models/open.js";
import { templateFrom } from "../src/options/template.js";
import { loadRules } from "../src/rules/file.js";
import { resolveRules } from "../src/rules/resolve.js";
import { loadTextModel } from "../src/text/load.js";
import { renderPrompt } from "../src/text/render.js";
import { present } from "../src/util/errors.js";
import { randomStream } from "../src/util/random.js";
import { type Bench, count, type Settings, temporaryFolder } from "./bench.js";
import { builtScript, type Peer, pythonScript, type Start, speedOf, takeTurns } from "./peers/peer.js";
import type { DecodeWork } from "./peers/tacit.js";
import { randomIds, readingOperations, writeDefault } from "./shapes.js";

/** Ids of a random prompt, as short instructions in the template have, and the most of a real one. */
const PROMPT = [20, 60] as const;
const LONGEST_PROMPT = 64;

export const decode: Bench = {
  about: "answers, side by side, with the paper's rules",
  flags: {
    model: { value: "DIR", help: "a model directory in place of the 134.5M shape with random weights" },
    prompts: {
      value: "FILE",
      help: `with --model: instructions of at most ${LONGEST_PROMPT} ids in place of random ids`,
    },
    precision: { value: "NAMES", help: "f32, q8 or both as f32,q8 (f32)" },
    count: { value: "N", help: "prompts (64)" },
    tokens: { value: "N", help: "of each answer (128)" },
    batch: { value: "N", help: "prompts side by side (64; rank: rows of Transformers, 16)" },
    python: { value: "PATH", help: "a Python with torch and transformers: the same there, in turns" },
    authors: { help: "with --python: as the paper's code decodes as well" },
    llama: { value: "DIR", help: "a folder with node_modules/node-llama-cpp: the same there, without rules" },
    gguf: { value: "FILE", help: "with --llama: its model" },
  },
  async *run(settings) {
    using folder = temporaryFolder();
    const directory = settings.text("model") ?? (await writeDefault(folder, settings.quick));
    const model = await readModelConfig(directory);
    const tokens = count(settings, "tokens", settings.quick ? 4 : 128);
    const prompts = await promptsOf(directory, model.dims.vocabSize, settings);
    const batch = count(settings, "batch", 64);
    const title = `decode ${basename(resolve(directory))}: ${prompts.length} prompts × ${tokens} tokens, three rules`;
    settings.note(title);
    const work: DecodeWork & { rules: object } = { prompts, tokens, batch, rules: await rulesAsData(directory) };
    writeFileSync(folder.at("work.json"), JSON.stringify(work));
    const peers = await takeTurns(startsOf(directory, folder.at("work.json"), settings), settings);
    const operations = prompts.reduce((total, { length }) => {
      const read = length - 1 + tokens; // the last token is not read
      return total + readingOperations(model, { to: read, predicted: tokens });
    }, 0);
    const shared = { unit: "tokens/s", amount: prompts.length * tokens, operations, beside };
    yield { title, figures: peers.map((peer) => speedOf(peer, peers, shared)) };
  },
};

async function promptsOf(directory: string, vocabulary: number, settings: Settings): Promise<(readonly number[])[]> {
  const wanted = count(settings, "count", settings.quick ? 2 : 64);
  const file = settings.text("prompts");
  const random = randomStream(0, "bench: prompts");
  if (file === undefined) return Array.from({ length: wanted }, () => randomIds(random, PROMPT, vocabulary));
  const text = await loadTextModel(directory);
  const prompts: (readonly number[])[] = [];
  for await (const { instruction } of loadPrompts(file)) {
    const { promptIds } = renderPrompt(text, templateFrom(), instruction);
    if (promptIds.length <= LONGEST_PROMPT) prompts.push(promptIds);
    if (prompts.length === wanted) break;
  }
  return prompts;
}

/** The rules for programs that are not ours. */
async function rulesAsData(directory: string): Promise<object> {
  const { rules } = await loadRules("paper");
  const { resolved } = resolveRules(rules, await loadTextModel(directory));
  const ramp = rules.rules.find((rule) => rule.kind === "eos_ramp");
  return {
    constant: [...resolved.constant],
    eos: resolved.eosId,
    slope: present(ramp, "EOS rule").score / present(ramp, "EOS rule").tokens,
    used: present(resolved.usedTokens[0], "rule of used tokens").score,
  };
}

function startsOf(directory: string, work: string, settings: Settings): Start[] {
  const common = (model: string) => ["--model", model, "--work", work, "--threads", `${settings.threads}`];
  const [python, llama, gguf] = ["python", "llama", "gguf"].map(settings.text);
  const starts: Start[] = (settings.text("precision") ?? "f32").split(",").map((precision) => {
    const ours = ["--kind", "decode", "--precision", precision, ...common(directory)];
    return [process.execPath, [builtScript("tacit.js"), ...ours]];
  });
  if (python !== undefined) {
    const script = [pythonScript("decode_transformers.py"), ...common(directory)];
    starts.push([python, script, ", generate with a logits processor"]);
    if (settings.given("authors"))
      starts.push([python, [...script, "--way", "authors"], ", the authors' way (no cache, batch 1; extrapolated)"]);
  }
  if (llama !== undefined && gguf !== undefined)
    starts.push([process.execPath, [builtScript("llama.js"), "--package", llama, ...common(gguf)], ", no rules"]);
  return starts;
}

/** The share of equal ids before the first difference. */
function beside(peer: Peer, first: Peer): Readonly<Record<string, string>> {
  const [ours, theirs] = [first, peer].map(({ found }) => found.at(-1)?.ids);
  if (ours === undefined || theirs === undefined) return {};
  const same = ours.map((ids, i) => {
    const at = ids.findIndex((id, j) => id !== theirs[i]?.[j]);
    return at < 0 ? ids.length : at;
  });
  const total = ours.reduce((sum, ids) => sum + ids.length, 0);
  const share = (100 * same.reduce((x, y) => x + y, 0)) / total;
  return { "agrees with it": `${share.toFixed(1)} % of ids before answers part` };
}
