/** What the machine offers: Node, cores, memory, disk, terminal. May not know: what is installed. */
import { TUNING_BYTES_PER_PARAMETER } from "../../engine/tuning.js";
import { formatBytes, formatCount } from "../../util/progress.js";
import { availableCores, availableMemory, freeDisk } from "../../util/system.js";
import { wantsColour } from "../../util/terminal.js";
import type { Check } from "./check.js";

/** What `engines` in package.json asks for. */
const oldestNode = [20, 19] as const;

/** A quarter more for activations, which depend on the rows. */
const bytesPerTunedParameter = 1.25 * TUNING_BYTES_PER_PARAMETER;

const littleMemory = 2e9;
const littleDisk = 5e9;

export async function machineChecks(): Promise<Check[]> {
  return [
    nodeCheck(process.versions.node),
    coresCheck(),
    memoryCheck(availableMemory()),
    await diskCheck(),
    terminalCheck(),
  ];
}

export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const detail = `${version} on ${process.platform} ${process.arch}`;
  const isNew = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  if (isNew) return { name: "node", status: "ok", detail };
  return { name: "node", status: "fail", detail, remedy: `install Node ${oldestNode.join(".")} or newer` };
}

function coresCheck(): Check {
  const cores = availableCores();
  return { name: "cores", status: "ok", detail: `${cores} (--threads ${cores} unless you say otherwise)` };
}

export function memoryCheck(memory: ReturnType<typeof availableMemory>): Check {
  const millions = Math.floor(memory.free / bytesPerTunedParameter / 1e6);
  const detail =
    `${formatBytes(memory.free)} free of ${formatBytes(memory.total)} (limit of the ${memory.limit}): ` +
    `room to tune about ${formatCount(millions)} million parameters in full`;
  if (memory.free >= littleMemory) return { name: "memory", status: "ok", detail };
  return { name: "memory", status: "warn", detail, remedy: "close other programs, or raise the container's limit" };
}

async function diskCheck(): Promise<Check> {
  const free = await freeDisk(".");
  const detail = `${formatBytes(free)} free in the current folder`;
  if (free >= littleDisk) return { name: "disk", status: "ok", detail };
  return { name: "disk", status: "warn", detail, remedy: "a tuned model needs 4 bytes a parameter, a checkpoint 12" };
}

function terminalCheck(): Check {
  const { isTTY, columns } = process.stdout;
  const colour = wantsColour(process.stdout) ? "colour" : "no colour (FORCE_COLOR=1 for colour)";
  return {
    name: "terminal",
    status: "ok",
    detail: `${isTTY ? `${columns} columns` : "none, output goes to a pipe or a file"}, ${colour}`,
  };
}
