/** What is installed: ONNX Runtime, and what this package ships. May not know: what the machine offers. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { reasonOf } from "../../util/errors.js";
import { formatBytes } from "../../util/progress.js";
import { packageRoot } from "../../util/system.js";
import { quoted } from "../../util/terminal.js";
import type { Check } from "./check.js";

/** Platforms whose binary is in the npm package; the rest need a build of their own. */
const bundled = ["linux x64", "linux arm64", "darwin arm64", "win32 x64", "win32 arm64"];

/** What the package's own install script fetches from outside the registry: a CUDA provider that Tacit never loads. */
const fetchedByScript = [
  "libonnxruntime_providers_cuda.so",
  "libonnxruntime_providers_tensorrt.so",
  "libonnxruntime_providers_shared.so",
];

const shipped = [
  "assets/glasshouse/config.json",
  "assets/glasshouse/tokenizer.json",
  "assets/glasshouse/model.safetensors",
  "assets/glasshouse-data/test.jsonl",
  "judges/checker.yaml",
  "assets/stories260k/config.json",
  "assets/stories260k/tokenizer.json",
  "assets/stories260k/model.safetensors",
  "rules/paper.yaml",
  "rules/reference.yaml",
];

export async function installationChecks(): Promise<Check[]> {
  return [await runtimeCheck(), installScriptCheck(binaryFolder()), shippedCheck(packageRoot()), pythonCheck()];
}

/** Where the binaries of ONNX Runtime for this platform lie; undefined where the package is not installed. */
function binaryFolder(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve("onnxruntime-node");
    return join(dirname(entry), "..", "bin", "napi-v6", process.platform, process.arch);
  } catch {
    return undefined;
  }
}

/** Loads ONNX Runtime and lets it multiply; a wrong product is worse than none. */
async function runtimeCheck(): Promise<Check> {
  const name = "onnxruntime";
  const platform = `${process.platform} ${process.arch}`;
  const folder = binaryFolder();
  if (folder === undefined) {
    return {
      name,
      status: "fail",
      detail: "onnxruntime-node is not installed",
      remedy: "npm install --ignore-scripts",
    };
  }
  if (!existsSync(join(folder, "onnxruntime_binding.node"))) {
    const detail = `no binary for ${platform}`;
    return { name, status: "fail", detail, remedy: `the npm package has ${bundled.join(", ")}: use one of these` };
  }
  try {
    const { multiplyOnce } = await import("../../runtime/multiply.js");
    const { threads, gigaflops, exact } = await multiplyOnce();
    const detail = `${onnxruntimeVersion(folder)}, binary for ${platform}: ${gigaflops.toFixed(0)} GFLOP/s in float32 on ${threads} threads`;
    if (exact) return { name, status: "ok", detail };
    return {
      name,
      status: "fail",
      detail: `${detail}, but its products are wrong`,
      remedy: "tell us, with this output",
    };
  } catch (error) {
    const detail = `does not load or run: ${quoted(reasonOf(error))}`;
    return {
      name,
      status: "fail",
      detail,
      remedy: "its binary wants glibc 2.28 or newer (not musl), or Windows' C++ runtime",
    };
  }
}

function onnxruntimeVersion(folder: string): string {
  const manifest = readFileSync(join(folder, "..", "..", "..", "..", "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Its install script downloads hundreds of megabytes where a proxy or an offline machine makes `npm install` fail. */
export function installScriptCheck(folder: string | undefined): Check {
  const name = "install script";
  const found = fetchedByScript.map((file) => join(folder ?? "", file)).filter((file) => existsSync(file));
  if (found.length === 0)
    return { name, status: "ok", detail: "nothing was downloaded beside the npm package, and nothing is missing" };
  const size = found.reduce((sum, file) => sum + statSync(file).size, 0);
  return {
    name,
    status: "warn",
    detail: `onnxruntime-node's install script downloaded ${formatBytes(size)} of CUDA libraries that Tacit never loads`,
    remedy: "install with --ignore-scripts or ONNXRUNTIME_NODE_INSTALL=skip to save them",
  };
}

export function shippedCheck(root: string): Check {
  const name = "shipped files";
  const missing = shipped.filter((file) => !existsSync(join(root, file)));
  if (missing.length === 0) return { name, status: "ok", detail: "the small model and the rule files are there" };
  return {
    name,
    status: "fail",
    detail: `missing in ${root}: ${missing.join(", ")}`,
    remedy: "install the package again",
  };
}

function pythonCheck(): Check {
  return { name: "python", status: "ok", detail: "not needed" };
}
