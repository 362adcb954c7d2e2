/**
 * How fast is ranking? Each instruction's own response and five drawn ones under its prompt, as `tacit rank` asks the engine; what is drawn
 * twice is computed once. Beside Transformers with `--python`.
 */
import { writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { collectExamples } from "../src/data/load.js";
import { parseDataSpec } from "../src/data/spec.js";
import { readModelConfig } from "../src/models/open.js";
import { templateFrom } from "../src/options/template.js";
import { drawRivals } from "../src/rank/rivals.js";
import { instructionOf, responseOf } from "../src/records/example.js";
import { loadTextModel } from "../src/text/load.js";
import { renderPair } from "../src/text/render.js";
import { present } from "../src/util/errors.js";
import { randomStream } from "../src/util/random.js";
import { type Bench, count, needed, type Settings, temporaryFolder } from "./bench.js";
import { builtScript, type Peer, pythonScript, type Start, speedOf, takeTurns } from "./peers/peer.js";
import type { RankWork } from "./peers/tacit.js";
import { randomIds, readingOperations, writeDefault } from "./shapes.js";

const RIVALS = 5;
/** Ids of prompt and response of a real example. */
const LONGEST = 512;

export const rank: Bench = {
  about: "log-probabilities of responses, own and drawn",
  flags: {
    model: { value: "DIR", help: "a model directory in place of the 134.5M shape with random weights" },
    data: { value: "SPEC", help: `with --model: examples of at most ${LONGEST} ids in place of random ids` },
    precision: { value: "NAMES", help: "f32, q8 or both as f32,q8 (f32)" },
    count: { value: "N", help: "instructions (16)" },
    batch: { value: "N", help: "rows of Transformers side by side (16)" },
    python: { value: "PATH", help: "a Python with torch and transformers: the same there, in turns" },
  },
  async *run(settings) {
    using folder = temporaryFolder();
    const directory = settings.text("model") ?? (await writeDefault(folder, settings.quick));
    const model = await readModelConfig(directory);
    const pairs = await pairsOf(directory, model.dims.vocabSize, settings);
    const rows = drawRivals(pairs.length, RIVALS, 0).map((rivals, i) => [...new Set([i, ...rivals])].map(pairs.at(i)));
    const title = `rank ${basename(resolve(directory))}: ${pairs.length} instructions × (1 + ${RIVALS}) responses`;
    settings.note(title);
    const work: RankWork & { batch: number } = { rows: rows.flat(), batch: count(settings, "batch", 16) };
    writeFileSync(folder.at("work.json"), JSON.stringify(work));
    const peers = await takeTurns(startsOf(directory, folder.at("work.json"), settings), settings);
    const amount = work.rows.reduce((total, { response }) => total + response.length, 0);
    const operations = rows.reduce((total, [own, ...others]) => {
      const prompt = present(own, "own response").prompt.length - 1; // the last id is read with each response
      return [present(own, "own response"), ...others].reduce(
        (sum, { response: { length } }) => {
          return sum + readingOperations(model, { from: prompt, to: prompt + length, predicted: length });
        },
        total + readingOperations(model, { to: prompt, predicted: 0 }),
      );
    }, 0);
    const shared = { unit: "response tokens/s", amount, operations, beside };
    yield { title, figures: peers.map((peer) => speedOf(peer, peers, shared)) };
  },
};

type Pair = RankWork["rows"][number];
interface Pairs {
  readonly length: number;
  /** The responses by index, under the prompt of one instruction. */
  readonly at: (instruction: number) => (response: number) => Pair;
}

/** Random ones have prompts of 20 to 60 ids and responses of 10 to 150. */
async function pairsOf(directory: string, vocabulary: number, settings: Settings): Promise<Pairs> {
  const length = count(settings, "count", settings.quick ? 2 : 16);
  if (settings.text("data") === undefined) {
    const random = randomStream(0, "bench: examples");
    const drawn = Array.from({ length }, () => ({
      prompt: randomIds(random, [20, 60], vocabulary),
      response: randomIds(random, [10, 150], vocabulary),
    }));
    const one = (i: number) => present(drawn[i], "example");
    return { length, at: (i) => (j) => ({ prompt: one(i).prompt, response: one(j).response }) };
  }
  const text = await loadTextModel(directory);
  const { examples } = await collectExamples(parseDataSpec(needed(settings, "data")), { limit: 10_000 });
  const pair = (a: (typeof examples)[number], b: (typeof examples)[number]): Pair => {
    const texts = { instruction: instructionOf(a), response: responseOf(b) };
    const { promptIds, responseIds } = renderPair(text, templateFrom(), texts, {});
    return { prompt: promptIds, response: responseIds };
  };
  const fits = (example: (typeof examples)[number]) => {
    const { prompt, response } = pair(example, example);
    return responseOf(example).trim() !== "" && response.length > 0 && prompt.length + response.length <= LONGEST;
  };
  const taken = examples.filter(fits).slice(0, length);
  const one = (i: number) => present(taken[i], "example");
  return { length: taken.length, at: (i) => (j) => pair(one(i), one(j)) };
}

function startsOf(directory: string, work: string, settings: Settings): Start[] {
  const common = ["--model", directory, "--work", work, "--threads", `${settings.threads}`];
  const starts: Start[] = (settings.text("precision") ?? "f32").split(",").map((precision) => {
    const ours = ["--kind", "rank", "--precision", precision, ...common];
    return [process.execPath, [builtScript("tacit.js"), ...ours]];
  });
  const python = settings.text("python");
  if (python !== undefined)
    starts.push([python, [pythonScript("rank_transformers.py"), ...common], ", batched, padded"]);
  return starts;
}

/** How far log-likelihoods lie apart. */
function beside(peer: Peer, first: Peer): Readonly<Record<string, string>> {
  const [ours, theirs] = [first, peer].map(({ found }) => present(found.at(-1)?.sums, "sums"));
  const apart = present(ours, "sums").map((sum, i) => Math.abs(sum - (theirs?.[i] ?? Number.NaN)));
  return { "log-likelihoods apart": `${Math.max(...apart).toExponential(0)} nats` };
}
