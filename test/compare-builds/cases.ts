/**
 * What two builds are compared on: commands, one after the other in one folder that begins with `in/`. Later ones read what earlier ones
 * left. Paths are relative, so that they are the same for both builds.
 */

export interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** Exit status; 0 where it is not said. */
  readonly status?: number;
  /** It reads `in/` alone. It is also killed on the way and given again, and what the older build left of it is given to the newer one. */
  readonly killed?: true;
}

const tiny = "llama-tied";
const on = (model: string): string[] => ["--model", `in/${model}`, "--threads", "1"];
const json = "--json";

const render = (name: string, ...more: string[]): Case => ({
  name: `render ${name}`,
  args: [
    "render",
    "--model",
    "in/llama",
    "--data",
    "in/answers.jsonl",
    ...more,
    json,
    "--out",
    `out/render-${name}.jsonl`,
  ],
});
const tune = (name: string, objective: string, ...more: string[]): Case => ({
  name: `tune ${name}`,
  args: ["tune", "--data", "in/answers.jsonl", "--objective", objective, ...more, json, "--out", `out/tune-${name}`],
});
const SHORT = ["--limit", "8", "--epochs", "2", "--batch", "3", "--lr", "1e-3"];
const generate = (name: string, ...more: string[]): Case => ({
  name: `generate ${name}`,
  args: ["generate", "--prompts", "in/prompts.jsonl", ...more, json, "--out", `out/generate-${name}.json`],
});
const FEW = ["--limit", "4", "--max-new-tokens", "8"];
const score = (name: string, ...more: string[]): Case => ({
  name: `score ${name}`,
  args: ["score", ...more, json, "--out", `out/score-${name}.jsonl`],
});
const ANSWERS = ["--input", "in/answers.jsonl", "--limit", "5"];
const rank = (name: string, ...more: string[]): Case => ({
  name: `rank ${name}`,
  args: [
    "rank",
    "--data",
    "in/answers.jsonl",
    "--limit",
    "4",
    "--against",
    "2",
    ...more,
    json,
    "--out",
    `out/rank-${name}`,
  ],
});
const similarity = (name: string, ...more: string[]): Case => ({
  name: `similarity ${name}`,
  args: [
    ...["similarity", "in/mine.json", "--task", "in/answers.jsonl", "--limit", "6", "--threads", "1"],
    ...[...more, json, "--out", `out/similarity-${name}`],
  ],
});
const judgeOf =
  (outputs: string) =>
  (name: string, by: string, ...more: string[]): Case => ({
    name: `judge ${name}`,
    args: [
      ...["judge", `in/${outputs}.json`, "--baseline", "in/base.json", "--judge", by, "--concurrency", "1"],
      ...[...more, json, "--out", `out/judge-${name}`],
    ],
  });
const judge = judgeOf("mine");
const annotated = (name: string): string => `out/judge-${name}/annotations.json`;
const study = (verb: string, file: string, ...more: string[]): Case => ({
  name: `study ${verb} ${file}${more.length === 0 ? "" : ` ${more.join(" ")}`}`,
  args: [
    "study",
    verb,
    file === "every" ? "in/every.yaml" : file,
    ...more,
    "--threads",
    "1",
    json,
    "--out",
    `out/study-${file}`,
  ],
});
const rephrase = ["data", "rephrase", "in/answers.jsonl", "--limit", "8", json];

export const casesOn = (url: string): readonly Case[] => [
  { name: "data check", args: ["data", "check", "in/answers.jsonl", "in/dialogues.jsonl", json] },
  { name: "data show", args: ["data", "show", "in/dialogues.jsonl", "--rows", "2", json] },
  {
    name: "data export",
    args: ["data", "export", "in/dialogues.jsonl", "--objective", "response", json, "--out", "out/export.jsonl"],
  },
  { name: "data rephrase", args: [...rephrase, "--out", "out/rephrased.jsonl"] },
  {
    name: "data rephrase by llm",
    args: [
      ...rephrase,
      "--by",
      "llm",
      "--base-url",
      `${url}/flaky/v1`,
      "--llm",
      "m",
      "--concurrency",
      "1",
      "--out",
      "out/llm.jsonl",
    ],
    killed: true,
  },
  { name: "models info", args: ["models", "info", "in/gemma3", json] },
  { name: "models verify", args: ["models", "verify", "in/olmo2", json] },
  { name: "models import", args: ["models", "import", "in/small.gguf", json, "--out", "out/imported"] },
  {
    name: "models import f16",
    args: ["models", "import", "in/small.gguf", "--dtype", "f16", json, "--out", "out/imported-16"],
  },
  { name: "rules show", args: ["rules", "show", "reference", json] },
  { name: "rules explain", args: ["rules", "explain", "--model", "in/stories260k", "--rules", "in/rules.yaml", json] },

  render("instruction"),
  render("response", "--objective", "response"),
  render(
    "cut",
    "--max-length",
    "24",
    "--skip-empty",
    "--user-tag",
    "<|A|>",
    "--assistant-tag",
    "<|B|>",
    "--bos",
    "never",
  ),
  {
    name: "render dialogues",
    args: [
      "render",
      "--model",
      "in/gpt2",
      "--data",
      "in/dialogues.jsonl",
      "--bos",
      "always",
      json,
      "--out",
      "out/render-dialogues.jsonl",
    ],
  },

  {
    ...tune("response", "response", ...on(tiny), ...SHORT, "--hold-out", "2", "--checkpoint-every", "1"),
    killed: true,
  },
  tune(
    "instruction",
    "instruction",
    ...on(tiny),
    ...SHORT,
    "--save-every-epoch",
    "--reduction",
    "token",
    "--schedule",
    "linear",
    "--clip",
    "0.5",
    "--seed",
    "3",
  ),
  tune(
    "reference",
    "instruction",
    ...on("gemma3"),
    ...SHORT,
    "--preset",
    "reference",
    "--micro-tokens",
    "64",
    "--dtype",
    "bf16",
    "--no-shuffle",
  ),
  tune(
    "recompute",
    "response",
    "--model",
    "in/qwen2",
    "--threads",
    "2",
    ...SHORT,
    "--recompute",
    "--max-steps",
    "3",
    "--max-length",
    "64",
    "--warmup",
    "0.5",
  ),
  tune(
    "long",
    "instruction",
    ...on(tiny),
    ...SHORT,
    "--max-response-tokens",
    "40",
    "--max-length",
    "30",
    "--skip-empty",
    "--schedule",
    "constant",
  ),
  { ...tune("refused", "response", ...on(tiny), "--max-length", "8"), status: 2 },

  ...["gemma3", "gpt2", "olmo", "qwen3"].map((family) => generate(family, ...on(family), ...FEW)),
  ...["llama-tied", "gpt-neox", "olmo2"].map((family) => score(family, ...on(family), ...ANSWERS)),
  generate("tuned", "--model", "out/tune-response", "--threads", "1", ...FEW),
  { ...generate("one-by-one", ...on(tiny), "--max-new-tokens", "24", "--batch", "1"), killed: true },
  generate(
    "rules",
    "--model",
    "in/stories260k",
    "--threads",
    "1",
    "--rules",
    "paper",
    "--max-new-tokens",
    "40",
    "--limit",
    "6",
  ),
  generate(
    "reference",
    "--model",
    "in/stories260k",
    "--threads",
    "2",
    "--rules",
    "reference",
    "--preset",
    "reference",
    "--max-new-tokens",
    "40",
    "--limit",
    "6",
  ),
  generate("own-rules", ...on(tiny), "--rules", "in/rules.yaml", "--disable-rule", "often", ...FEW),
  generate("q8", "--model", "in/stories260k", "--threads", "1", "--precision", "q8", ...FEW),
  generate("q8-rules", "--model", "in/stories260k", "--threads", "1", "--precision", "q8", "--rules", "paper", ...FEW),
  generate(
    "trace",
    "--model",
    "in/stories260k",
    "--threads",
    "1",
    "--rules",
    "paper",
    ...FEW,
    "--trace",
    "out/trace.jsonl",
  ),
  generate(
    "warm",
    "--model",
    "in/stories260k",
    "--threads",
    "1",
    "--temperature",
    "0.9",
    "--seed",
    "5",
    ...FEW,
    "--batch",
    "3",
  ),
  generate("raw", "--model", "in/stories260k", "--threads", "1", "--raw", "--generator", "raw one", ...FEW),
  {
    name: "generate lines",
    args: [
      "generate",
      ...on("glasshouse").map((one) => one.replace("in/", "")),
      "--prompts",
      "in/lines.txt",
      "--max-new-tokens",
      "24",
      json,
      "--out",
      "out/lines.json",
    ],
  },
  {
    name: "generate again",
    args: ["generate", ...on(tiny), "--prompts", "in/prompts.jsonl", ...FEW, "--out", "out/generate-gpt2.json"],
    status: 2,
  },

  { ...score("ids", ...on(tiny), "--input", "in/ids.jsonl"), killed: true },
  score("no-eos", ...on("gemma3"), ...ANSWERS, "--no-eos", "--bos", "never"),
  score("q8", "--model", "in/stories260k", "--threads", "1", ...ANSWERS, "--precision", "q8"),
  score("tuned", "--model", "out/tune-instruction/epoch-1", "--threads", "2", ...ANSWERS),

  { ...rank("tiny", ...on(tiny)), killed: true },
  rank("q8", "--model", "in/stories260k", "--threads", "1", "--precision", "q8", "--seed", "4"),
  rank("short.jsonl", ...on("olmo"), "--max-length", "40"),
  {
    name: "rank printed",
    args: ["rank", ...on(tiny), "--data", "in/answers.jsonl", "--limit", "3", "--against", "1", json],
  },

  { ...similarity("bert", "--encoder", "in/bert", "--reference", "in/dialogues.jsonl"), killed: true },
  similarity(
    "nomic",
    "--encoder",
    "in/nomic-bert",
    "--prefix",
    "clustering: ",
    "--statistic",
    "max",
    "--pooling",
    "cls",
    "--show",
    "2",
  ),
  similarity(
    "server",
    "--encoder",
    `${url}/flaky/v1#an-encoder`,
    "--reference",
    "in/answers.jsonl",
    "--cache",
    "out/cache.jsonl",
  ),

  judge("longer", "longer"),
  judge("first", "first", "--order", "alpaca_eval"),
  { ...judge("server", "in/judge.yaml", "--prices", "in/prices.yaml"), killed: true },
  judgeOf("mine-2")("second", "in/judge.yaml"),
  judgeOf("other")("other", "in/judge.yaml"),
  judge("flaky", "in/flaky.yaml", "--retries", "4"),
  judge("sampled", "in/sampled.yaml", "--empty", "ask"),
  judge("completions", "in/completions.yaml", "--limit", "3"),
  {
    name: "judge dry run",
    args: [
      "judge",
      "in/mine.json",
      "--baseline",
      "in/base.json",
      "--judge",
      "in/judge.yaml",
      "--prices",
      "in/prices.yaml",
      "--dry-run",
      json,
      "--out",
      "out/judge-dry",
    ],
  },
  {
    name: "judge checker",
    args: [
      "judge",
      "in/glass.json",
      "--baseline",
      "in/glass-base.json",
      "--judge",
      "checker",
      json,
      "--out",
      "out/judge-checker",
    ],
  },

  { name: "winrate one", args: ["winrate", annotated("server"), json] },
  {
    name: "winrate many",
    args: [
      "winrate",
      `a=${annotated("server")}`,
      `a=${annotated("second")}`,
      `b=${annotated("other")}`,
      "--compare",
      "all",
      "--lc",
      "length",
      "--resamples",
      "200",
      json,
    ],
  },
  { name: "winrate without", args: ["winrate", "in/annotations.json", "--lc", "none", json] },
  {
    name: "winrate alpaca_eval",
    args: [
      "winrate",
      "in/annotations.json",
      "--lc",
      "minimal",
      "--folds",
      "in/folds.json",
      "--compat",
      "alpaca_eval",
      json,
    ],
  },
  {
    name: "agreement",
    args: ["agreement", `s=${annotated("server")}`, `f=${annotated("flaky")}`, `l=${annotated("longer")}`, json],
  },

  {
    name: "chat",
    args: [
      "chat",
      "--model",
      "in/stories260k",
      "--threads",
      "1",
      "--rules",
      "paper",
      "--max-new-tokens",
      "12",
      "--multi-turn",
      json,
    ],
    input: "Tell me a story.\n/rules off\nAnd then?\n/quit\n",
  },

  {
    name: "glasshouse data",
    args: ["glasshouse", "data", "--rows", "30", "--seed", "2", json, "--out", "out/glasshouse"],
  },
  {
    name: "glasshouse check",
    args: [
      "glasshouse",
      "check",
      "--outputs",
      "in/glass.json",
      "--prompts",
      "in/glass.jsonl",
      json,
      "--out",
      "out/checked.jsonl",
    ],
  },
  {
    name: "glasshouse facts",
    args: ["glasshouse", "facts", "--model", "glasshouse", "--limit", "4", "--threads", "1", json],
  },
  { name: "glasshouse pages", args: ["glasshouse", "pages", "--limit", "3", json] },

  study("plan", "every"),
  { ...study("run", "every"), killed: true },
  study("status", "every"),
  study("clean", "every"),
  { name: "report every", args: ["report", "out/study-every", json] },
  study("run", "glasshouse", "--scale", "tiny"),
  { name: "report glasshouse", args: ["report", "out/study-glasshouse", json] },
];
