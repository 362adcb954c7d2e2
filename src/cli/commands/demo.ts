/**
 * `tacit demo`: the whole paper in the Glasshouse, told as it happens.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { demoOptions } from "../../options/study.js";
import type { FlagsOf } from "../../util/options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Everything runs offline, on a base model that is in the package and knows a small world whose every fact is known: instruction tuning,
response tuning, five narrow tasks, three rules and the untuned model, each judged against instruction tuning by a program that checks what
they say; whether the untuned model prefers the right answer all along; and a report. Under five minutes on two cores.

It is the study glasshouse at the scale demo (\`tacit study schema\` explains such a file): stop it at any time and give the same command
again. More seeds reuse what exists.

Examples:
  tacit demo
  tacit demo --quick
  tacit demo --seeds 5 --out tacit-demo`;

type DemoFlags = FlagsOf<typeof demoOptions>;

export function registerDemo(program: Command): void {
  const command = program
    .command("demo")
    .description("Shows the whole paper on a small world and a model that are in the package.");
  addOptions(command, demoOptions)
    .addHelpText("after", help)
    .action((flags: DemoFlags) => runAction(flags, (io) => runDemo(flags, io)));
}

async function runDemo({ quick, ...flags }: DemoFlags, io: Io): Promise<object> {
  const { runGlasshouse } = await import("../demo/glasshouse.js");
  const out = flags.out ?? (quick ? "tacit-demo-quick" : "tacit-demo");
  return runGlasshouse({ ...flags, out, scale: quick ? "quick" : "demo" }, io);
}
