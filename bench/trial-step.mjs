/**
 * Run as a process by `trial.mjs`: builds the trial's graph and times its steps, fed and opened as the trial does it.
 * Arguments: the trial's file, and `{config, rows, time, supervised, threads, runs}` as JSON. Prints `{seconds}`.
 */
import { pathToFileURL } from "node:url";

const [script, wanted] = process.argv.slice(2);
const { config, rows, time, supervised, threads, runs } = JSON.parse(wanted);
const { buildTrain, ort } = await import(pathToFileURL(script).href);

const shape = {
  L: config.num_hidden_layers,
  D: config.hidden_size,
  H: config.num_attention_heads,
  KV: config.num_key_value_heads,
  F: config.intermediate_size,
  V: config.vocab_size,
};
const { g, loss, P } = buildTrain(shape, rows, time, supervised);
const session = await ort.InferenceSession.create(g.encode(), {
  intraOpNumThreads: threads,
  executionProviders: ["cpu"],
  graphOptimizationLevel: "all",
  enableMemPattern: true,
});
const feeds = { ...parameters(), ...ids(), ...positions() };
const times = [];
for (let run = 0; run <= runs; run++) {
  const started = performance.now();
  const results = await session.run(feeds);
  times.push((performance.now() - started) / 1000);
  if (!Number.isFinite(results[loss].data[0])) throw new Error(`the trial's loss is ${results[loss].data[0]}`);
}
process.stdout.write(`${JSON.stringify({ seconds: times.slice(1) })}\n`); // the first run does not count

function parameters() {
  const tensors = {};
  for (const [name, dims] of Object.entries(P)) {
    const values = new Float32Array(dims.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) values[i] = dims.length === 1 ? 1 : (Math.random() - 0.5) * 0.04;
    tensors[name] = new ort.Tensor("float32", values, dims);
  }
  return tensors;
}

function ids() {
  const integers = (count, of) => new ort.Tensor("int64", BigInt64Array.from({ length: count }, of), [count]);
  const anyId = () => BigInt(Math.floor(Math.random() * shape.V));
  return {
    ids: integers(rows * time, anyId),
    sel: integers(supervised, (_, i) => BigInt(i)),
    tgt: integers(supervised, anyId),
  };
}

function positions() {
  const headDim = shape.D / shape.H;
  const [mask, cos, sin] = [time, headDim, headDim].map((width) => new Float32Array(time * width));
  for (let i = 0; i < time; i++) {
    for (let j = 0; j < time; j++) mask[i * time + j] = j <= i ? 0 : -1e9;
    for (let j = 0; j < headDim; j++) {
      const angle = i / 10000 ** (((j % (headDim / 2)) * 2) / headDim);
      cos[i * headDim + j] = Math.cos(angle);
      sin[i * headDim + j] = Math.sin(angle);
    }
  }
  const table = (values, width) => new ort.Tensor("float32", values, [time, width]);
  return { mask: table(mask, time), cos: table(cos, headDim), sin: table(sin, headDim) };
}
