/** Imported before a command: at its end it says its peak memory in bytes and its time on the processor in microseconds, which counts on a busy machine. */
import { peakMemory } from "../dist/util/system.js";

process.on("exit", () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write(`peak ${peakMemory()}\ncpu ${userCPUTime + systemCPUTime}\n`);
});
