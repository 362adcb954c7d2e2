// How far the checker agrees with the reader of pairs.json (reading.json):
//
//   npm run build
//   node docs/examples/glasshouse/compare-reading.mjs
//
// Both answers of every pair are scored anew, by the checker as it is now.
import { readFileSync } from "node:fs";
import { checkers } from "../../../dist/glasshouse/checker.js";

const DRAW = 0.02; // judges/checker.yaml
const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const [pairs, reading] = ["pairs.json", "reading.json"].map((name) => JSON.parse(read(name)));
const prompts = new Map(
  read("../../../assets/glasshouse-data/test.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map((row) => [row.instruction, row]),
);
const score = (instruction, { text, ended }) =>
  checkers["glasshouse-1"]({
    instruction,
    output: text,
    stopped: ended === "by itself",
    prompt: prompts.get(instruction),
  }).total;

const counts = { same: 0, "a draw for one of the two": 0, opposite: 0 };
for (const [i, { pair, instruction, A, B }] of pairs.entries()) {
  const [a, b] = [score(instruction, A), score(instruction, B)];
  const checker = Math.abs(a - b) <= DRAW ? "draw" : a > b ? "A" : "B";
  const { verdict, reason } = reading[i];
  const kind =
    verdict === checker ? "same" : [verdict, checker].includes("draw") ? "a draw for one of the two" : "opposite";
  counts[kind]++;
  if (kind !== "same")
    console.log(
      `pair ${pair}: reader ${verdict}, checker ${checker} (${a.toFixed(2)}, ${b.toFixed(2)}): ${instruction}\n  ${reason}`,
    );
}
console.log(counts);
