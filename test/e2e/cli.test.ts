/** The command as a process: help, exit codes, what goes to which stream, Ctrl-C, broken pipes, and what npm would publish. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.js";
import { buildProgram } from "../../src/cli/program.js";
import { readEvent } from "../../src/records/event-line.js";
import { specifiersIn } from "../imports.js";
import { plainEnvironment, repositoryRoot, type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

const files = temporaryFolder();
let staged: StagedPackage;
beforeAll(() => {
  staged = stagePackage();
}, 240_000); // a build, on whatever machine there is
afterAll(() => staged.remove());

describe("tacit --help", () => {
  it("names every command with one line, and an example", () => {
    const { status, stdout, stderr } = staged.tacit(["--help"]);
    expect([status, stderr]).toEqual([0, ""]);
    for (const { name, summary } of commands)
      expect(stdout).toMatch(new RegExp(`^  ${name} .*${summary.slice(0, 20)}`, "m"));
    expect(stdout).toContain("Example:");
  });

  it("of one command explains that one", () => {
    const { status, stdout, stderr } = staged.tacit(["rank", "--help"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Usage: tacit rank /);
    expect(stdout).toMatch(/Examples?:/);
  });

  it("is also what no argument at all gives", () => {
    expect(staged.tacit([]).stdout).toBe(staged.tacit(["--help"]).stdout);
  });

  it.each(["cli/main.ts", ...commandFiles().map((file) => `cli/commands/${file}`)])(
    "%s loads no package but commander",
    (start) => {
      expect(packagesLoadedBy(start)).toEqual(["commander"]);
    },
  );
});

describe("the table of commands", () => {
  it("has an entry for every file in the folder, and no other", () => {
    expect(commands.map((command) => `${command.name}.ts`).sort()).toEqual(commandFiles().sort());
  });

  it.each(commands.map((command) => command.name))(
    "%s: described, with an example, and --json somewhere",
    async (name) => {
      const program = await buildProgram(name);
      const command = program.commands.find((one) => one.name() === name)!;
      const all = [command, ...command.commands];
      expect(command.description().length).toBeGreaterThan(20);
      expect(all.some((one) => one.options.some((option) => option.long === "--json"))).toBe(true);
      const help: string[] = [];
      command.configureOutput({ writeOut: (text) => void help.push(text) }).outputHelp();
      expect(help.join("")).toMatch(/Examples?:/);
    },
  );
});

describe("mistakes on the command line", () => {
  it.each([
    [["docto"], "tacit: unknown command 'docto' (Did you mean doctor?)\n"],
    [["doctor", "--jsn"], "tacit: unknown option '--jsn' (Did you mean --json?)\n"],
    [["--nonsense"], "tacit: unknown option '--nonsense'\n"],
    [["doctor", "too", "many"], "tacit: too many arguments for 'doctor'. Expected 0 arguments but got 2.\n"],
  ])("%j: one line, exit code 2, nothing on standard output", (args, line) => {
    const finished = staged.tacit(args);
    expect(finished).toMatchObject({ status: 2, stdout: "" });
    expect(finished.stderr).toBe(line);
  });
});

describe("tacit doctor", () => {
  it("prints one JSON object whose checks all have a name, a status and a detail", () => {
    const { stdout, status } = staged.tacit(["doctor", "--json"]);
    const summary = JSON.parse(stdout) as { ok: boolean; checks: { name: string; status: string; detail: string }[] };
    expect(summary.checks.length).toBeGreaterThan(6);
    for (const check of summary.checks) {
      expect(["ok", "warn", "fail"]).toContain(check.status);
      expect(check.detail.length).toBeGreaterThan(0);
    }
    expect(summary.ok).toBe(summary.checks.every((check) => check.status !== "fail"));
    expect(status).toBe(summary.ok ? 0 : 2);
  });

  it("fails, with the remedy, where a file of the package is missing", () => {
    const file = join(staged.root, "rules", "paper.yaml");
    const kept = readFileSync(file);
    rmSync(file);
    const { status, stdout } = staged.tacit(["doctor"]);
    writeFileSync(file, kept);
    expect(status).toBe(2);
    expect(stdout).toMatch(/^fail +shipped files +missing in .*rules\/paper\.yaml.*; install the package again$/m);
  });
});

describe("an action", () => {
  /** Starts a program that runs `body` as an action of a command, with the built files. */
  const start = (body: string, json = false) => {
    const path = join(staged.root, "dist", "cli", `probe-${Math.random().toString(36).slice(2)}.js`);
    writeFileSync(
      path,
      `import { runAction } from "./run-action.js"; import { Interrupted, UserError, invariant } from "../util/errors.js";
import { readFile } from "node:fs/promises";
process.stdout.on("error", () => {});
await runAction({ json: ${json} }, async (io) => { ${body} });`,
    );
    const child = spawn(process.execPath, [path], { env: plainEnvironment });
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text.stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text.stderr += chunk;
    });
    const ended = once(child, "close").then(([status, signal]) => ({
      status: status as number | null,
      signal: signal as string | null,
      ...text,
    }));
    return { child, text, ended };
  };
  const run = (body: string, json = false) => start(body, json).ended;

  it("prints text without --json, and the summary alone with it", async () => {
    const body = `io.out("for a person\\n"); io.note("a warning"); return { rows: 3 };`;
    expect(await run(body)).toMatchObject({ status: 0, stdout: "for a person\n", stderr: "a warning\n" });
    const { stdout, stderr } = await run(body, true);
    expect(JSON.parse(stdout)).toEqual({ rows: 3 });
    expect(stderr).toBe("a warning\n");
  });

  it("reports the user's mistake in one line, control characters escaped", async () => {
    const body = `throw new UserError("no \\u001b[31mmodel\\nin x", { remedy: "pass --model" });`;
    expect(await run(body, true)).toMatchObject({
      status: 2,
      stdout: "",
      stderr: "tacit: no \\u001b[31mmodel\\nin x; pass --model\n",
    });
  });

  it("takes a file that is not there for the user's mistake", async () => {
    const { status, stderr } = await run(`await readFile("/nowhere/at/all"); return {};`);
    expect([status, stderr]).toEqual([2, "tacit: /nowhere/at/all: no such file or folder; check the path\n"]);
  });

  it("reports a defect with its stack", async () => {
    const { status, stdout, stderr } = await run(`invariant(1 > 2, "one is not more than two");`, true);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/internal: one is not more than two[\s\S]*at [\s\S]*this is a defect of ours/);
  });

  it("never prints NaN as null", async () => {
    const { status, stdout, stderr } = await run("return { loss: 0 / 0 };", true);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`the summary's "loss" is NaN`);
  });

  const patient = `io.signal.addEventListener("abort", () => { clearInterval(t); done(); });
let done; const t = setInterval(() => {}, 1000); const stopped = new Promise((r) => { done = r; }); io.note("ready");`;

  const interruptWhenReady = async (body: string, times: number) => {
    const { child, text, ended } = start(body);
    for (let sent = 0; sent < times; sent++) {
      const word = sent === 0 ? "ready" : "stopping";
      while (!text.stderr.includes(word)) await new Promise((resolve) => setTimeout(resolve, 10));
      child.kill("SIGINT");
    }
    return ended;
  };

  it("is told of the first Ctrl-C and ends with 130 when it has kept what is finished", async () => {
    const finished = await interruptWhenReady(
      `${patient} await stopped; throw new Interrupted("2 of 5 rows kept");`,
      1,
    );
    expect(finished).toMatchObject({ status: 130, stdout: "" });
    expect(finished.stderr).toContain("tacit: interrupted: 2 of 5 rows kept");
  });

  it("is ended by the second Ctrl-C", async () => {
    const finished = await interruptWhenReady(
      `io.signal; io.note("ready"); setInterval(() => {}, 1000); await new Promise(() => {});`,
      2,
    );
    expect(finished.status).toBe(130);
  });

  it("is ended by the first where it never asked for the signal", async () => {
    const finished = await interruptWhenReady(
      `io.note("ready"); setInterval(() => {}, 1000); await new Promise(() => {});`,
      1,
    );
    expect(finished.status).toBe(130);
  });

  it("says nothing when the reader of its output leaves", async () => {
    const { child, ended } = start(
      `for (;;) { io.out("line\\n".repeat(1000)); await new Promise((r) => setTimeout(r, 1)); }`,
    );
    await once(child.stdout, "data");
    child.stdout.destroy();
    const { status, stderr } = await ended;
    expect([status, stderr]).toEqual([130, ""]);
  });
});

it("says with --events what it does, a JSON object a line, and the summary on standard output all the same", () => {
  const input = files.path("pairs.jsonl");
  writeFileSync(input, `${JSON.stringify({ instruction: "Name a sea.", response: "The sea." })}\n`);
  const args = ["score", "--model", "glasshouse", "--input", input, "--out", files.path("scores.jsonl")];
  const { status, stdout, stderr } = staged.tacit([...args, "--events", "--json"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ command: "score", outcome: { computed: 1 } });
  const events = stderr
    .trimEnd()
    .split("\n")
    .map((line) => readEvent(JSON.parse(line)));
  expect(events.map(({ step, event }) => `${step} ${event}`)).toEqual(["score begin", "score progress", "score end"]);
  const again = staged
    .tacit([...args, "--events"])
    .stderr.trimEnd()
    .split("\n");
  expect(JSON.parse(again[0]!)).toMatchObject({ event: "end", outcome: { kind: "failed", defect: false } });
  expect(again.slice(1)).toEqual([expect.stringMatching(/^tacit: .*scores.jsonl already exists; /)]);
});

it("prints the schema of studies as a file, and as the one object of --json", () => {
  const [plain, json] = [[], ["--json"]].map((more) => staged.tacit(["study", "schema", ...more]));
  expect([plain!.status, json!.status]).toEqual([0, 0]);
  expect(JSON.parse(json!.stdout)).toEqual(JSON.parse(plain!.stdout));
  expect(JSON.parse(json!.stdout)).toMatchObject({ title: "Tacit study", type: "object" });
});

describe("what npm would publish", () => {
  it("holds the command, the library's types, the rules, the small model and the papers, and no tests", () => {
    const packed = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: staged.root,
      encoding: "utf8",
    });
    const [{ files, size }] = JSON.parse(packed.stdout) as [{ files: { path: string }[]; size: number }];
    expect(size).toBeLessThan(30e6); // bytes to download
    const paths = files.map((file) => file.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "package.json",
        "dist/cli/main.js",
        "assets/stories260k/model.safetensors",
        "assets/glasshouse/model.safetensors",
        "assets/glasshouse-data/test.jsonl",
      ]),
    );
    for (const folder of ["rules", "assets"]) {
      const present = readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => statSync(join(repositoryRoot, folder, file)).isFile())
        .map((file) => posix.join(folder, file));
      expect(paths).toEqual(expect.arrayContaining(present));
    }
    expect(paths.filter((path) => /\.test\.|^src\/|^test\//.test(path))).toEqual([]);
  });

  it("starts with the line that makes it a program", () => {
    expect(readFileSync(join(staged.root, "dist", "cli", "main.js"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

function commandFiles(): string[] {
  return readdirSync(join(repositoryRoot, "src", "cli", "commands")).filter((file) => /^[a-z-]+\.ts$/.test(file));
}

/** Packages that loading `start` loads; what is imported inside a function is not among them, and types vanish when compiled. */
function packagesLoadedBy(start: string): string[] {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of specifiersIn(readFileSync(join(staged.root, "dist", file), "utf8"), "static")) {
      if (specifier.startsWith(".")) visit(posix.join(posix.dirname(file), specifier));
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  };
  visit(start.replace(/\.ts$/, ".js"));
  return [...packages];
}
