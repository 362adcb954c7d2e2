/**
 * The demo while the Glasshouse's model is not in the package: on stories260K, told as it happens. Goes away with `src/steps/demo.ts`.
 * May not know: how anything is computed.
 */
import type { ArmName, DemoArm, DemoSummary, DemoWatch } from "../../steps/demo.js";
import { formatCount, formatDuration } from "../../util/progress.js";
import { columns, quoted } from "../../util/terminal.js";
import type { Io } from "../run-action.js";

export interface StoriesFlags {
  readonly out: string;
  readonly threads: number;
  readonly force: boolean;
}

const TITLES: Readonly<Record<"untuned" | "rules" | "tune" | "tuned" | "rank", string>> = {
  untuned: "1. The untuned model under the template <|user|> … <|assistant|>. It has read stories, never a dialogue.",
  rules: "2. The same model, its next-token distribution multiplied with three hand-written rules (rules/paper.yaml).",
  tune: "3. Response tuning: 40 answers, every question replaced by the empty text.",
  tuned: "4. The tuned model, asked what it was never tuned on.",
  rank: "5. Does a model find the right answer more likely than another one, whether it says it or not?",
};
const NAMES: Readonly<Record<ArmName, string>> = {
  untuned: "untuned",
  rules: "untuned, with rules",
  tuned: "response-tuned",
};
/** Answers that are shown of each arm. */
const SHOWN = 3;

export async function runStories(flags: StoriesFlags, io: Io): Promise<object> {
  const { demo } = await import("../../steps/demo.js");
  const summary = await demo({ ...flags, signal: io.signal }, tell(io));
  io.out(await describe(summary));
  const { arms, ranking, tuning, out } = summary;
  return {
    out,
    arms: arms.map(({ name, counts }) => ({ name, ...counts })),
    tuning: { steps: tuning.steps, final_loss: tuning.final_loss, seconds: tuning.seconds },
    ranking: { untuned: ranking.untuned.sum.rate, tuned: ranking.tuned.sum.rate },
  };
}

function tell(io: Io): DemoWatch {
  return {
    onStage: (stage) => io.out(`${stage === "untuned" ? "" : "\n"}${TITLES[stage]}\n`),
    onArm: ({ outputs, counts }) => {
      for (const { instruction, output, stop } of outputs.slice(0, SHOWN)) {
        io.out(`   ${instruction}\n     → ${quoted(output.trim())}${stop === "eos" ? "" : " … (cut off)"}\n`);
      }
      io.out(`   ${counts.stopped} of ${counts.answers} answers end by themselves.\n`);
    },
    onTuneStep: (step, total, loss) =>
      io.progress.update(() => `tuning: step ${step} of ${total}, loss ${loss.toFixed(3)}`),
    onTuned: ({ steps, seconds, final_loss }) => {
      io.progress.clear();
      io.out(
        `   ${formatCount(steps)} steps in ${formatDuration(seconds)}, last loss ${final_loss.toFixed(3)} nats a token.\n`,
      );
    },
  };
}

async function describe({ arms, ranking, out }: DemoSummary): Promise<string> {
  const { formatShare } = await import("../../stats/estimate.js");
  const ranks: Partial<Record<ArmName, string>> = {
    untuned: formatShare(ranking.untuned.sum.rate),
    tuned: formatShare(ranking.tuned.sum.rate),
  };
  const row = ({ name, counts }: DemoArm): string[] => [
    NAMES[name],
    `${counts.stopped} of ${counts.answers}`,
    String(counts.echoes),
    counts.meanTokens === undefined ? "" : counts.meanTokens.toFixed(1),
    ranks[name] ?? "",
  ];
  const table = columns(
    [["model", "end by themselves", "repeat the question", "tokens", "right answer more likely"], ...arms.map(row)],
    [1, 2, 3],
  );
  return `\n${table}\nLikelihood in total (the paper's reading), 95 % interval clustered by instruction.\nEverything lies in ${out}.\n`;
}
