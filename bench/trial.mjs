/**
 * Another implementation's step on the same shape, threads and ONNX Runtime. `--trial DIR` names the folder that holds it,
 * `onnx-training.mjs`, and from which the package `onnx-proto`, which is no dependency of ours, can be imported.
 * May not know: our own training.
 */
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { UserError } from "../dist/util/errors.js";
import { packageRoot } from "../dist/util/system.js";

const SCRIPT = "onnx-training.mjs";
const stepScript = fileURLToPath(new URL("./trial-step.mjs", import.meta.url));
const run = promisify(execFile);

/**
 * A folder inside the checkout with that file and that package: so it finds the ONNX Runtime that we use.
 *
 * @throws UserError  the file or `onnx-proto` is not there
 */
export function openTrial(folder) {
  const [script, onnxProto] = [findScript(folder), findPackage(folder)];
  const cache = join(packageRoot(), ".cache");
  mkdirSync(cache, { recursive: true });
  const place = mkdtempSync(join(cache, "trial-"));
  copyFileSync(script, join(place, SCRIPT));
  mkdirSync(join(place, "node_modules"));
  symlinkSync(onnxProto, join(place, "node_modules", "onnx-proto"), "junction");
  return {
    /** Seconds of each step, in a process of its own, whose memory is gone when it ends. */
    async time(config, job, { threads, runs }) {
      const wanted = JSON.stringify({ config, ...job, threads, runs });
      const { stdout } = await run(process.execPath, [stepScript, join(place, SCRIPT), wanted]);
      return JSON.parse(stdout).seconds;
    },
    close: () => rmSync(place, { recursive: true, force: true }),
  };
}

function findScript(folder) {
  const place = join(resolve(folder), SCRIPT);
  if (existsSync(place)) return place;
  throw new UserError(`there is no ${place}`, { remedy: "name the folder that holds it, or leave --trial out" });
}

function findPackage(folder) {
  try {
    return dirname(createRequire(join(resolve(folder), "package.json")).resolve("onnx-proto/package.json"));
  } catch (error) {
    throw new UserError(`onnx-proto cannot be imported from ${folder}`, {
      remedy: `npm install --ignore-scripts --prefix ${folder} onnx-proto, or leave --trial out`,
      cause: error,
    });
  }
}
