/**
 * The package as npm would install it, built from this checkout into a folder of its own, so that tests can run the real
 * command without touching `dist`. Modules are found in the checkout's `node_modules`, which lies above.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), "..");

export interface StagedPackage {
  readonly root: string;
  /** Runs `tacit` to its end. */
  tacit(args: readonly string[], options?: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv }): Finished;
  remove(): void;
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of a person's shell: no colour wishes, and no list of certificates, which Node reads for 0.1 s at each start. */
export const plainEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  NODE_EXTRA_CA_CERTS: undefined,
  FORCE_COLOR: undefined,
  NO_COLOR: undefined,
  NODE_OPTIONS: undefined,
  NODE_V8_COVERAGE: undefined,
};

export function stagePackage(): StagedPackage {
  const cache = join(repositoryRoot, ".cache");
  mkdirSync(cache, { recursive: true });
  const root = mkdtempSync(join(cache, "package-"));
  const compiler = join(repositoryRoot, "node_modules", "typescript", "bin", "tsc");
  const project = join(repositoryRoot, "tsconfig.build.json");
  const built = spawnSync(process.execPath, [compiler, "-p", project, "--outDir", join(root, "dist")], {
    encoding: "utf8",
  });
  const main = join(root, "dist", "cli", "main.js");
  if (!existsSync(main)) throw new Error(`the build left no command:\n${built.stdout}${built.stderr}`);
  const { files } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { files: string[] };
  for (const entry of ["package.json", ...files.filter((file) => file !== "dist")]) {
    const from = join(repositoryRoot, entry);
    if (existsSync(from)) cpSync(from, join(root, entry), { recursive: true });
  }
  return {
    root,
    tacit: (args, { cwd = root, input = "", env = {} } = {}) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
        cwd,
        input,
        env: { ...plainEnvironment, ...env },
        encoding: "utf8",
        maxBuffer: 1 << 28,
      });
      return { status, stdout, stderr };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
