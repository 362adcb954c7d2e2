/**
 * Every command: its place in the help, its one line, and where it lives. A module is loaded only when its command is run,
 * so that `tacit --help` stays quick. One entry a command, in the order of the flow; `test/e2e/cli.test.ts` compares this table with the folder.
 */
import type { Command } from "commander";

export interface CommandEntry {
  readonly name: string;
  readonly group: "Look" | "Prepare" | "Teach and ask" | "Measure";
  readonly summary: string;
  /** Gives the function that declares the command on the program. */
  readonly load: () => Promise<(program: Command) => void>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: "demo",
    group: "Look",
    summary: "the whole flow on a small model in the package",
    load: async () => (await import("./commands/demo.js")).registerDemo,
  },
  {
    name: "data",
    group: "Prepare",
    summary: "list, check, show and export training data",
    load: async () => (await import("./commands/data.js")).registerData,
  },
  {
    name: "models",
    group: "Prepare",
    summary: "import model files, show what a model is, check one",
    load: async () => (await import("./commands/models.js")).registerModels,
  },
  {
    name: "glasshouse",
    group: "Prepare",
    summary: "a small invented world: its pages, data, checker and model",
    load: async () => (await import("./commands/glasshouse.js")).registerGlasshouse,
  },
  {
    name: "render",
    group: "Prepare",
    summary: "examples to token ids and loss mask, certified and shown",
    load: async () => (await import("./commands/render.js")).registerRender,
  },
  {
    name: "tune",
    group: "Teach and ask",
    summary: "tune a model on responses alone, or on instructions and responses",
    load: async () => (await import("./commands/tune.js")).registerTune,
  },
  {
    name: "generate",
    group: "Teach and ask",
    summary: "answer a file of prompts, with hand-written rules or without",
    load: async () => (await import("./commands/generate.js")).registerGenerate,
  },
  {
    name: "chat",
    group: "Teach and ask",
    summary: "ask a model one thing at a time and watch it answer",
    load: async () => (await import("./commands/chat.js")).registerChat,
  },
  {
    name: "score",
    group: "Measure",
    summary: "log-probability of every token of given responses",
    load: async () => (await import("./commands/score.js")).registerScore,
  },
  {
    name: "rank",
    group: "Measure",
    summary: "how often the right response is more likely than others",
    load: async () => (await import("./commands/rank.js")).registerRank,
  },
  {
    name: "similarity",
    group: "Measure",
    summary: "how far answers keep the style of what a model was tuned on",
    load: async () => (await import("./commands/similarity.js")).registerSimilarity,
  },
  {
    name: "judge",
    group: "Measure",
    summary: "which of two answers a judge prefers, with every call accounted for",
    load: async () => (await import("./commands/judge.js")).registerJudge,
  },
  {
    name: "study",
    group: "Measure",
    summary: "carry out an experiment of many arms, seeds and epochs",
    load: async () => (await import("./commands/study.js")).registerStudy,
  },
  {
    name: "report",
    group: "Measure",
    summary: "what a study found, as a page with its tables and figures",
    load: async () => (await import("./commands/report.js")).registerReport,
  },
  {
    name: "winrate",
    group: "Measure",
    summary: "win rates, raw and length-controlled, from annotations",
    load: async () => (await import("./commands/winrate.js")).registerWinrate,
  },
  {
    name: "agreement",
    group: "Measure",
    summary: "how far judges agree, and what sways them",
    load: async () => (await import("./commands/agreement.js")).registerAgreement,
  },
  {
    name: "rules",
    group: "Look",
    summary: "the adapter's rules, and what they become in a vocabulary",
    load: async () => (await import("./commands/rules.js")).registerRules,
  },
  {
    name: "doctor",
    group: "Look",
    summary: "what works on this machine, what does not, and the remedy",
    load: async () => (await import("./commands/doctor.js")).registerDoctor,
  },
];
