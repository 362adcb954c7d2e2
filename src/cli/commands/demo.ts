/**
 * `tacit demo`: the whole paper in the Glasshouse, told as it happens.
 * May not know: how anything is computed.
 */
import { type Command, Option } from "commander";
import { integer, jsonOption } from "../options.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Everything runs offline, on a base model that is in the package and knows a small world whose every fact is known: instruction tuning,
response tuning, five narrow tasks, three rules and the untuned model, each judged against instruction tuning by a program that checks what
they say; whether the untuned model prefers the right answer all along; and a report. Under five minutes on two cores.

It is the study glasshouse at the scale demo (\`tacit study schema\` explains such a file): stop it at any time and give the same command
again. More seeds go on from what is there.

Examples:
  tacit demo
  tacit demo --quick
  tacit demo --seeds 5 --out tacit-demo`;

interface DemoFlags {
  readonly out?: string;
  readonly quick: boolean;
  readonly seeds: number;
  readonly model?: string;
  readonly threads?: number;
  readonly force: boolean;
  readonly json: boolean;
}

export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("Shows the whole paper on a small world and a model that are in the package.")
    .addOption(
      new Option("--quick", "fewer rows and prompts: about a minute, too little to tell much").default(false, "off"),
    )
    .addOption(
      new Option("--seeds <n>", "tune every arm with so many seeds, for means with a spread")
        .default(1)
        .argParser(integer({ min: 1, max: 100 })),
    )
    .addOption(new Option("--model <dir>", "another base model of the same world (default: the one in the package)"))
    .addOption(new Option("--out <dir>", "folder for models, answers, verdicts and the report (default: tacit-demo)"))
    .addOption(
      new Option("--threads <n>", "threads to compute with (default: the cores there are)").argParser(
        integer({ min: 1, max: 1024 }),
      ),
    )
    .addOption(new Option("--force", "start from scratch where an earlier demo is").default(false, "off"))
    .addOption(jsonOption())
    .addHelpText("after", help)
    .action((flags: DemoFlags) => runAction(flags, (io) => runDemo(flags, io)));
}

async function runDemo({ quick, ...flags }: DemoFlags, io: Io): Promise<object> {
  const { runGlasshouse } = await import("../demo/glasshouse.js");
  const out = flags.out ?? (quick ? "tacit-demo-quick" : "tacit-demo");
  return runGlasshouse({ ...flags, out, scale: quick ? "quick" : "demo" }, io);
}
