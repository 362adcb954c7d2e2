/** Tacit itself, in a process of its own like its peers: "go" in, one JSON line of seconds out. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { loadEmbedded } from "../../dist/embedded/model.js";
import { rampScore } from "../../dist/rules/rules.js";
import { packageVersion } from "../../dist/util/system.js";

const text = { type: "string" };
const { values } = parseArgs({ options: { kind: text, model: text, work: text, threads: text, precision: text } });
const work = JSON.parse(readFileSync(values.work, "utf8"));
const { precision } = values;
const loaded = await loadEmbedded(values.model, { threads: Number(values.threads), precision });

function rulesOf({ constant, eos, ramp, used }) {
  return {
    eosId: eos,
    constant: new Map(constant),
    stopScore: (n) => rampScore(ramp, n),
    usedTokens: [{ score: used, scope: "response" }],
  };
}

async function decode() {
  const requests = work.prompts.map((promptIds, i) => ({ id: `${i}`, promptIds, conversationIds: promptIds }));
  const how = { maxNewTokens: work.tokens, stopIds: [], temperature: 0, seed: 0, batch: work.batch };
  const rules = work.rules === null ? {} : { rules: rulesOf(work.rules) };
  const ids = new Array(requests.length);
  for await (const result of loaded.generate(requests, { ...how, ...rules })) ids[Number(result.id)] = result.ids;
  return { ids };
}

async function rank() {
  const sums = new Array(work.rows.length);
  const requests = work.rows.map(({ prompt, response }, i) => ({
    id: `${i}`,
    promptIds: prompt,
    responseIds: response,
  }));
  for await (const { id, logprobs } of loaded.score(requests)) sums[Number(id)] = logprobs.reduce((a, b) => a + b, 0);
  return { sums };
}

const once = values.kind === "rank" ? rank : decode;
process.stdout.write(`${JSON.stringify({ peer: `Tacit ${packageVersion()}, ${precision}` })}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
  const started = performance.now();
  const found = await once();
  process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - started) / 1000, ...found })}\n`);
}
await loaded.close();
