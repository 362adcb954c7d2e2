// Draws pairs of answers by lot from a demo's verdicts, for a reader who must not know the checker's:
//
//   npm run build
//   node docs/examples/glasshouse/draw-pairs.mjs tacit-demo 50 pairs.json key.json
//
// A pair has the instruction, two answers in random order with how each ended, and every fact about whom it asks. Which answer is whose,
// and what the checker says, stands in the key.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeWorld } from "../../../dist/glasshouse/world.js";
import { randomStream } from "../../../dist/util/random.js";

const SEED = 1;
const [study, count, pairsFile, keyFile] = process.argv.slice(2);
const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const results = json(join(study, "results.json"));
const checks = new Map(
  readFileSync(new URL("../../../assets/glasshouse-data/test.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map(({ instruction, check }) => [instruction, check]),
);
const world = makeWorld(1);

const stops = (arm) => {
  const cell = results.cells.find((one) => one.arm === arm && one.chosen);
  const place = cell.answers.find(({ split }) => split === "test");
  return new Map(json(join(study, place.outputs)).map(({ instruction, stop }) => [instruction, stop]));
};
const all = results.comparisons.flatMap(({ arm, against, pairs }) => {
  const [own, other] = [stops(arm), stops(against)];
  return json(join(study, pairs[0].annotations)).map((row) => ({
    arm,
    ...row,
    ends: [other.get(row.instruction), own.get(row.instruction)],
  }));
});
const different = all.filter(({ output_1, output_2 }) => output_1.trim() !== output_2.trim());
const drawn = randomStream(SEED, "pairs to read").shuffle(different).slice(0, Number(count));
const factsOf = (name) => {
  const entity = world.entities.find((one) => one.name === name);
  return Object.fromEntries(Object.entries(entity.values).map(([key, value]) => [key, value.text]));
};
const answer = (text, stop) => ({ text, ended: stop === "eos" ? "by itself" : "cut off" });
const write = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`);
const order = (i) => randomStream(SEED, "order of a pair", i).integer(2) === 1;
write(
  pairsFile,
  drawn.map(({ instruction, output_1, output_2, ends }, i) => {
    const { entities, members, expected } = checks.get(instruction);
    const both = [answer(output_1, ends[0]), answer(output_2, ends[1])];
    const [A, B] = order(i) ? both.reverse() : both;
    const known = Object.fromEntries(entities.map((name) => [name, factsOf(name)]));
    return { pair: i + 1, instruction, A, B, known, ...(members && { members }), ...(expected && { expected }) };
  }),
);
write(
  keyFile,
  drawn.map(({ arm, ends: _, ...row }, i) => ({ pair: i + 1, arm, A: order(i) ? "output_2" : "output_1", row })),
);
