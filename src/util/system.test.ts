import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  availableCores,
  availableMemory,
  freeDisk,
  packageRoot,
  packageVersion,
  peakMemory,
  type ReadText,
} from "./system.js";

/** A machine's system files, written down. */
const files =
  (contents: Record<string, string>): ReadText =>
  (path) =>
    contents[path];
const machine = { total: 64e9, free: 48e9 };

describe("the peak of this process's memory", () => {
  it("is what the system says of it alone, where it does", () => {
    const read = files({ "/proc/self/status": "Name:\tnode\nVmHWM:\t   40468 kB\nVmRSS:\t   30000 kB\n" });
    expect(peakMemory(read)).toBe(40468 * 1024);
    expect(peakMemory()).toBeGreaterThan(2 ** 20);
  });

  it("is otherwise what Node says", () => {
    expect(peakMemory(files({}))).toBe(process.resourceUsage().maxRSS * 1024);
  });
});

describe("memory", () => {
  it("is the machine's where no group limits it", () => {
    expect(availableMemory(files({}), machine)).toEqual({ ...machine, limit: "machine" });
    const unlimited = files({
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/memory.max": "max\n",
      "/sys/fs/cgroup/memory.current": "5\n",
    });
    expect(availableMemory(unlimited, machine)).toEqual({ ...machine, limit: "machine" });
  });

  it("version 2: the tightest of the groups above us; inactive file cache is free", () => {
    const read = files({
      "/proc/self/cgroup": "0::/user/app\n",
      "/sys/fs/cgroup/user/app/memory.max": "16000000000\n",
      "/sys/fs/cgroup/user/app/memory.current": "1000000000\n",
      "/sys/fs/cgroup/user/memory.max": "8000000000\n",
      "/sys/fs/cgroup/user/memory.current": "6000000000\n",
      "/sys/fs/cgroup/user/memory.stat": "anon 4\ninactive_file 1500000000\nactive_file 7\n",
    });
    expect(availableMemory(read, machine)).toEqual({ total: 8e9, free: 3.5e9, limit: "control group" });
  });

  it("version 1, seen from inside a container, where our own path is not mounted", () => {
    const read = files({
      "/proc/self/cgroup": "8:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "4000000000\n",
      "/sys/fs/cgroup/memory/memory.usage_in_bytes": "1000000000\n",
      "/sys/fs/cgroup/memory/memory.stat": "cache 1\ntotal_inactive_file 200000000\n",
    });
    expect(availableMemory(read, machine)).toEqual({ total: 4e9, free: 3.2e9, limit: "control group" });
  });

  it("never promises more than the machine has free", () => {
    const read = files({
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/memory.max": "60000000000",
      "/sys/fs/cgroup/memory.current": "0",
    });
    expect(availableMemory(read, machine).free).toBe(48e9);
  });
});

describe("cores", () => {
  it.each([
    [{}, 8],
    [{ "/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/cpu.max": "250000 100000\n" }, 3],
    [{ "/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/cpu.max": "max 100000\n" }, 8],
    [
      {
        "/proc/self/cgroup": "1:cpu:/\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
      },
      1,
    ],
    [
      {
        "/proc/self/cgroup": "1:cpu:/\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
      },
      8,
    ],
  ])("%j: %d of 8", (contents, cores) => {
    expect(availableCores(files(contents as Record<string, string>), 8)).toBe(cores);
  });

  it("this machine has at least one, some memory, and disk for a folder that is not there yet", async () => {
    expect(availableCores()).toBeGreaterThanOrEqual(1);
    const { total, free } = availableMemory();
    expect(total).toBeGreaterThanOrEqual(free);
    expect(free).toBeGreaterThan(1e7);
    expect(await freeDisk("not/there/yet")).toBeGreaterThan(0);
  });
});

it("the package knows where it lies and its version", () => {
  expect(existsSync(join(packageRoot(), "src", "util", "system.ts"))).toBe(true);
  expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/);
});
