/** How fast are rows? `tacit render` as a process, from start to end: examples to ids, masks, certificate and files. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { randomStream } from "../dist/util/random.js";
import { packageRoot } from "../dist/util/system.js";
import { besidePeak, repeat, result, seconds } from "./measure.mjs";

const run = promisify(execFile);

export async function benchRender(options) {
  const folder = mkdtempSync(join(tmpdir(), "tacit-bench-"));
  try {
    const data = options.data ?? madeUpRows(join(folder, "made-up.jsonl"), options.quick ? 50 : 5000);
    const model = options.model ?? join(packageRoot(), "assets", "stories260k");
    const named = `render ${options.data === undefined ? "made-up rows" : basename(data)}, ${basename(resolve(model))}`;
    options.note(`${named} (runs: ${options.runs})`);
    let certificate;
    const once = () =>
      seconds(async () => {
        certificate = await renderOnce(model, data, join(folder, "rows.jsonl"));
      });
    const { value: times, peak } = await besidePeak(options, () => repeat(options.runs, once));
    const { rows, tokens } = certificate;
    return [result({ work: `${named}, ${rows} rows, whole process`, unit: "ids/s", amount: tokens, times, peak })];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function renderOnce(model, data, out) {
  const main = join(packageRoot(), "dist", "cli", "main.js");
  const wanted = ["--model", model, "--data", data, "--objective", "instruction", "--out", out, "--limit", "all"];
  const { stdout } = await run(process.execPath, [main, "render", ...wanted, "--skip-empty", "--force", "--json"]);
  return JSON.parse(stdout).certificate;
}

/** Rows of invented words, drawn so that few are common and many are rare; `words`: the least and the most in each text. Returns the path. */
export function madeUpRows(path, count, words = { instruction: [5, 25], response: [10, 150] }) {
  const random = randomStream(0, "bench: words");
  const syllables = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu sta tre bli cro shu".split(" ");
  const word = () => Array.from({ length: 1 + random.integer(4) }, () => pick(syllables, random.uniform())).join("");
  const lexicon = Array.from({ length: 5000 }, word);
  const text = (least, most) =>
    Array.from({ length: least + random.integer(most - least + 1) }, () => pick(lexicon, random.uniform() ** 3)).join(
      " ",
    );
  const line = () =>
    JSON.stringify({ instruction: `${text(...words.instruction)}?`, response: `${text(...words.response)}.` });
  writeFileSync(path, `${Array.from({ length: count }, line).join("\n")}\n`);
  return path;
}

const pick = (items, share) => items[Math.floor(share * items.length)];
