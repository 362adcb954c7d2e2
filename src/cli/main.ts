#!/usr/bin/env node
/** The command `tacit`: reads which command is meant, loads that one alone, and hands over. */
import { CommanderError } from "commander";
import { buildProgram, commandMeant } from "./program.js";
import { outputFailed, report } from "./run-action.js";

async function main(args: readonly string[]): Promise<void> {
  // A reader that has left (`tacit data show … | head`) is no error; `runAction` stops at the next thing it would say. Where standard
  // error cannot be written, there is nobody to tell, and the work counts.
  let told = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    if (!told) process.exitCode = report(outputFailed(error));
    told = true;
  });
  process.stderr.on("error", () => {});
  process.on("uncaughtException", (error) => process.exit(report(error))); // rejections that nobody awaited come here, too
  try {
    const program = await buildProgram(commandMeant(args), args);
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) process.exitCode = report(error);
    else if (error.exitCode !== 0) process.exitCode = 2; // commander has said which argument it was
  }
}

await main(process.argv.slice(2));
