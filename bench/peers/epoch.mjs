/**
 * `node bench/peers/epoch.mjs --model DIR --data lima:FILE --python PYTHON`: an epoch of response tuning on a few real rows, all of them one
 * batch and so one optimiser step, by Tacit and by Transformers, row by row and in padded batches. Processes hold the same weights and take
 * turns, one epoch each. Needs a build; README.md says what Transformers needs.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_MICRO_TOKENS, settleRequest } from "../../dist/steps/tune/options.js";
import { readRows } from "../../dist/steps/tune/rows.js";
import { availableCores } from "../../dist/util/system.js";
import { machine } from "../measure.mjs";
import { furthest, headline, markdown, speedCells, speedHeader, speedOf, startPeer, takeTurns } from "./peer.mjs";

const usage = `node bench/peers/epoch.mjs --model DIR --data SPEC --python PATH [--count 64] [--runs 5] [--threads N] [--json]

  --model DIR     model directory; Tacit and Transformers read the same files
  --data SPEC     examples as tacit tune takes them; the first of those that --max-response-tokens leaves
  --python PATH   a Python with torch and transformers
  --count N       rows, all in one batch (64)
  --max-response-tokens N   as of tacit tune (420)
  --runs N        epochs that count, after one that does not (5)
  --threads N     default: the cores there are
`;
const text = { type: "string" };
const { values } = parseArgs({
  options: {
    model: text,
    data: text,
    python: text,
    count: { ...text, default: "64" },
    "max-response-tokens": { ...text, default: "420" },
    runs: { ...text, default: "5" },
    threads: text,
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help || [values.model, values.data, values.python].includes(undefined)) {
  process.stderr.write(usage);
  process.exit(values.help ? 0 : 2);
}
const [runs, threads] = [Number(values.runs), Number(values.threads ?? availableCores())];

const rows = await tunedRows();
const tokens = rows.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
const supervised = rows.reduce((sum, { labels }) => sum + labels.filter((label) => label !== -100).length, 0);
const peers = await compare();
process.stdout.write(values.json ? `${JSON.stringify(summary(), null, 2)}\n` : table());

/** As `tacit tune --objective response` trains on them. */
async function tunedRows() {
  const { model, data, "max-response-tokens": most } = values;
  const request = { model, data, objective: "response", out: "", maxResponseTokens: Number(most) };
  const { rows: all } = await readRows(settleRequest(request));
  const count = Number(values.count);
  if (all.length < count) throw new Error(`${data} has ${all.length} rows of at most ${most} response tokens`);
  return all.slice(0, count);
}

async function compare() {
  const folder = mkdtempSync(join(tmpdir(), "tacit-epoch-"));
  const started = [];
  try {
    const work = join(folder, "work.json");
    writeFileSync(work, JSON.stringify({ rows, microTokens: DEFAULT_MICRO_TOKENS, learningRate: 1e-5 }));
    const common = ["--model", values.model, "--work", work, "--threads", `${threads}`];
    const [tacit, transformers] = ["train_tacit.mjs", "train_transformers.py"].map((name) =>
      join(import.meta.dirname, name),
    );
    const start = async (...peer) => started.push(await startPeer(...peer));
    await start(process.execPath, [tacit, ...common]);
    await start(values.python, [transformers, ...common, "--at-once", "1"], ", batch 1 with accumulation");
    await start(values.python, [transformers, ...common, "--at-once", "8"], ", batch 8 padded");
    await takeTurns(started, runs, ({ loss }) => `, loss ${loss.toFixed(5)}`);
  } finally {
    for (const peer of started) peer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const [first] = started;
  return started.map((peer) => ({
    ...speedOf(peer, first, tokens),
    peak_bytes: peer.found.at(-1).peak,
    first_loss_apart: furthest("loss", { found: peer.found.slice(0, 1) }, first),
    losses_apart: furthest("loss", peer, first),
    norms_apart: furthest("norm", peer, first),
  }));
}

/** Of the peers beside Tacit, the better one counts. */
function summary() {
  const [, ...others] = peers;
  const faster = Math.min(...others.map((peer) => peer.faster));
  const work = { rows: rows.length, max_response_tokens: Number(values["max-response-tokens"]), tokens, supervised };
  return { machine: machine(threads), runs, ...work, peers, faster_than_the_better: faster };
}

function table() {
  const header = [...speedHeader(peers[0]), "peak memory", "losses apart: first (all)", "norms apart"];
  const cells = peers.map((peer) => [
    ...speedCells(peer),
    `${(peer.peak_bytes / 1e9).toFixed(2)} GB`,
    `${peer.first_loss_apart.toExponential(0)} (${peer.losses_apart.toExponential(0)})`,
    peer.norms_apart.toExponential(0),
  ]);
  const { faster_than_the_better: faster, max_response_tokens: most } = summary();
  return (
    `one epoch: ${rows.length} rows of at most ${most} response tokens in one batch, ${tokens} tokens, ${supervised} supervised; ` +
    `with the gradient's norm and Adam\n${headline(threads, runs)}\n\n${markdown(header, cells)}\n` +
    `${peers[0].label} is ${faster.toFixed(2)} times as fast as the better of the others\n`
  );
}
