/**
 * `node bench/peers/run.mjs decode|rank …`: Tacit and what else there is, side by side: the same weights, the same ids, processes that
 * all hold their model and take turns, one run each, so that the machine's moods fall on all of them. Needs a build; README.md says
 * what the peers need.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { collectExamples } from "../../dist/data/load.js";
import { loadPrompts } from "../../dist/data/prompts.js";
import { parseDataSpec } from "../../dist/data/spec.js";
import { drawRivals } from "../../dist/rank/rivals.js";
import { loadRules } from "../../dist/rules/file.js";
import { resolveRules } from "../../dist/rules/resolve.js";
import { loadTextModel } from "../../dist/text/load.js";
import { renderPair, renderPrompt } from "../../dist/text/render.js";
import { templateFrom } from "../../dist/text/template.js";
import { availableCores } from "../../dist/util/system.js";
import { machine } from "../measure.mjs";
import { headline, markdown, speedCells, speedHeader, speedOf, startPeer, takeTurns } from "./peer.mjs";

const usage = `node bench/peers/run.mjs decode --model DIR --prompts FILE [--python PYTHON] [--llama DIR --gguf FILE]
node bench/peers/run.mjs rank --model DIR --data SPEC [--python PYTHON]

  --model DIR     model directory; Tacit and Transformers read the same files
  --prompts FILE  decode: instructions, of which the first 64 with at most 64 ids in the template are taken
  --data SPEC     rank: examples as tacit rank takes them; the first 100 with at most 512 ids
  --python PATH   a Python with torch and transformers; without: no Transformers
  --llama DIR     a folder with node_modules/node-llama-cpp, --gguf FILE its model; without: no node-llama-cpp
  --runs N        runs that count, after one that does not (default 5)
  --threads N     default: the cores there are
  --count N, --tokens N, --batch N    other sizes (64 or 100, 128, 64 or 16)
  --only NAMES    of f32,q8,generate,authors,llama,transformers: only these
  --json
`;

const text = { type: "string" };
const names = [
  "model",
  "prompts",
  "data",
  "python",
  "llama",
  "gguf",
  "runs",
  "threads",
  "count",
  "tokens",
  "batch",
  "only",
];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...Object.fromEntries(names.map((name) => [name, text])),
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
const [kind] = positionals;
const source = kind === "rank" ? values.data : values.prompts;
if (values.help || (kind !== "decode" && kind !== "rank") || values.model === undefined || source === undefined) {
  process.stderr.write(usage);
  process.exit(values.help ? 0 : 2);
}
const number = (name, otherwise) => Number(values[name] ?? otherwise);
const [runs, threads] = [number("runs", 5), number("threads", availableCores())];
const only = values.only?.split(",");

const folder = mkdtempSync(join(tmpdir(), "tacit-peers-"));
const peers = [];
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(130));
process.once("exit", cleanUp);
try {
  const work = kind === "rank" ? await rankWork() : await decodeWork();
  writeFileSync(join(folder, "work.json"), JSON.stringify(work));
  for (const [name, command, args, extra] of candidates()) {
    if (only === undefined || only.includes(name)) peers.push({ name, ...(await startPeer(command, args, extra)) });
  }
  await takeTurns(peers, runs);
  report(work);
} finally {
  cleanUp();
}

function cleanUp() {
  for (const peer of peers) peer.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** [name, command, arguments, what to call it besides its own name]. */
function candidates() {
  const here = import.meta.dirname;
  const common = (model) => ["--model", model, "--work", join(folder, "work.json"), "--threads", `${threads}`];
  const tacit = (precision) => [
    join(here, "tacit.mjs"),
    "--kind",
    kind,
    "--precision",
    precision,
    ...common(values.model),
  ];
  const list = [
    ["f32", process.execPath, tacit("f32"), ""],
    ["q8", process.execPath, tacit("q8"), ""],
  ];
  if (values.python !== undefined) {
    const python = (script, ...rest) => [join(here, script), ...common(values.model), ...rest];
    if (kind === "rank")
      list.push(["transformers", values.python, python("rank_transformers.py"), ", batched, padded"]);
    else {
      list.push(["generate", values.python, python("decode_transformers.py"), ", generate with a logits processor"]);
      list.push([
        "authors",
        values.python,
        python("decode_transformers.py", "--way", "authors"),
        ", the authors' way (no cache, batch 1; extrapolated)",
      ]);
    }
  }
  if (kind === "decode" && values.llama !== undefined && values.gguf !== undefined) {
    list.push([
      "llama",
      process.execPath,
      [join(here, "decode_llama.mjs"), "--package", values.llama, ...common(values.gguf)],
      ", no rules",
    ]);
  }
  return list;
}

async function decodeWork() {
  const count = number("count", 64);
  const model = await loadTextModel(values.model);
  const prompts = [];
  for await (const { instruction } of loadPrompts(values.prompts)) {
    const { promptIds } = renderPrompt(model, templateFrom(), instruction);
    if (promptIds.length <= 64) prompts.push(promptIds);
    if (prompts.length === count) break;
  }
  const { rules } = await loadRules("paper");
  const { resolved } = resolveRules(rules, model);
  const ramp = rules.rules.find((rule) => rule.kind === "eos_ramp");
  const [used] = resolved.usedTokens;
  return {
    prompts,
    tokens: number("tokens", 128),
    batch: number("batch", 64),
    rules: {
      constant: [...resolved.constant],
      eos: resolved.eosId,
      ramp,
      slope: ramp.score / ramp.tokens,
      used: used.score,
    },
  };
}

/** Each instruction with its own response and five drawn ones; what is drawn twice counts once, for everybody. */
async function rankWork() {
  const model = await loadTextModel(values.model);
  const { examples } = await collectExamples(parseDataSpec(values.data), { limit: 10_000 });
  const content = (example, i) => example.messages[i].content;
  const pair = (a, b) => renderPair(model, templateFrom(), { instruction: content(a, 0), response: content(b, 1) }, {});
  const fits = (example) => {
    const { promptIds, responseIds } = pair(example, example);
    return responseIds.length > 0 && promptIds.length + responseIds.length <= 512;
  };
  const taken = [];
  for (const example of examples) {
    if (taken.length < number("count", 100) && content(example, 1).trim() !== "" && fits(example)) taken.push(example);
  }
  const rows = drawRivals(taken.length, 5, 0).flatMap((rivals, i) =>
    [...new Set([i, ...rivals])].map((j) => {
      const { promptIds, responseIds } = pair(taken[i], taken[j]);
      return { prompt: promptIds, response: responseIds };
    }),
  );
  return { rows, batch: number("batch", 16), instructions: taken.length };
}

function report(work) {
  const amount =
    kind === "rank"
      ? work.rows.reduce((total, { response }) => total + response.length, 0)
      : work.prompts.length * work.tokens;
  const [first] = peers;
  const rows = peers.map((peer) => ({
    name: peer.name,
    ...speedOf(peer, first, amount),
    agreement: agreement(first.found.at(-1), peer.found.at(-1)),
  }));
  const what =
    kind === "rank"
      ? `rank: ${work.instructions} instructions × (1 + 5) responses, ${amount} response tokens`
      : `decode: ${work.prompts.length} prompts × ${work.tokens} tokens, the three rules`;
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ what, machine: machine(threads), runs, rows }, null, 2)}\n`);
    return;
  }
  const table = markdown(
    [...speedHeader(first), "agrees with it"],
    rows.map((row) => [...speedCells(row), row.agreement]),
  );
  process.stdout.write(`${what}\n${headline(threads, runs)}\n\n${table}`);
}

/** Do two peers compute the same thing? Shares of equal ids before the first difference, or the furthest log-likelihoods. */
function agreement(a, b) {
  if (a.ids !== undefined && b.ids !== undefined) {
    const same = a.ids.map((ids, i) => {
      const at = ids.findIndex((id, j) => id !== b.ids[i][j]);
      return at < 0 ? ids.length : at;
    });
    const total = a.ids.reduce((sum, ids) => sum + ids.length, 0);
    return `${((100 * same.reduce((x, y) => x + y, 0)) / total).toFixed(1)} % of ids before answers part`;
  }
  if (a.sums !== undefined && b.sums !== undefined) {
    const furthest = Math.max(...a.sums.map((sum, i) => Math.abs(sum - b.sums[i])));
    return `log-likelihoods within ${furthest.toExponential(1)} nats`;
  }
  return "–";
}
