/**
 * `tacit doctor`: what works on this machine and why not, each with its remedy. It changes nothing and downloads nothing.
 * May not know: models, data.
 */

import type { Command } from "commander";
import { onlyJson } from "../../options/files.js";
import type { Paint } from "../../util/terminal.js";
import type { Check } from "../doctor/check.js";
import { addOptions } from "../flags.js";
import { runAction } from "../run-action.js";

const help = `
Nothing is changed and nothing is downloaded. Exit status 2 where a check fails.

Example:
  tacit doctor
  tacit doctor --json | jq '.checks[] | select(.status != "ok")'`;

export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("Says what works on this machine and why not, with the remedy.");
  addOptions(command, onlyJson)
    .addHelpText("after", help)
    .action((options: { json: boolean }) =>
      runAction(options, async (io) => {
        const { machineChecks } = await import("../doctor/machine.js");
        const { installationChecks } = await import("../doctor/installation.js");
        const { columns, paintFor } = await import("../../util/terminal.js");
        const { packageVersion } = await import("../../util/system.js");
        const checks = [...(await machineChecks()), ...(await installationChecks())];
        const verdict = verdictOf(checks);
        io.out(columns(checks.map((check) => row(check, paintFor(process.stdout)))));
        io.out(`\n${verdict.line}\n`);
        if (!verdict.ok) process.exitCode = 2;
        return { version: packageVersion(), ok: verdict.ok, checks };
      }),
    );
}

function row({ name, status, detail, remedy }: Check, paint: Paint): string[] {
  const mark = { ok: paint("green", "ok"), warn: paint("yellow", "warn"), fail: paint("red", "fail") }[status];
  return [mark, name, remedy === undefined ? detail : `${detail}; ${remedy}`];
}

function verdictOf(checks: readonly Check[]): { ok: boolean; line: string } {
  const failed = checks.filter((check) => check.status === "fail").map((check) => check.name);
  const warned = checks.filter((check) => check.status === "warn").map((check) => check.name);
  const ok = failed.length === 0;
  if (!ok) return { ok, line: `Not everything works: ${failed.join(", ")}.` };
  return { ok, line: warned.length === 0 ? "Everything works." : `Everything works; look at: ${warned.join(", ")}.` };
}
