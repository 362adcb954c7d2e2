/** One process at a time; a dead one's lock is taken over by one of those that find it. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { UserError } from "./errors.js";
import { acquireLock, waitForLock } from "./lock.js";

const folder = temporaryFolder();
const inNew = (name: string): string => {
  mkdirSync(folder.path(name));
  return folder.path(`${name}/.lock`);
};
const holder = (changes: object): string =>
  JSON.stringify({ pid: process.pid, host: hostname(), began: "1", token: "old", ...changes });
/** Of a process that has ended. */
const deadPid = spawnSync(process.execPath, ["-e", ""]).pid;

describe("a lock", () => {
  it("keeps a second one out, also of the same process, until it is released", async () => {
    const path = inNew("twice");
    const lock = await acquireLock(path, "the folder");
    const error = await acquireLock(path, "the folder").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).line).toBe(
      `the folder is in use by process ${process.pid}; wait for it to end, or remove ${path} if you know that it has`,
    );
    await lock.release();
    expect(existsSync(path)).toBe(false);
    await (await acquireLock(path, "the folder")).release();
  });
  it.each([
    ["of a process that has ended", holder({ pid: deadPid })],
    ["of an earlier process with this one's number", holder({})],
    ["of an earlier process with the number of another one", holder({ pid: process.ppid })],
    ["that was never written whole", '{"pid":'],
  ])("%s is taken over", async (_, text) => {
    const path = inNew(`stale ${Math.random()}`);
    writeFileSync(path, text);
    const lock = await acquireLock(path, "the folder");
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
    await lock.release();
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });
  it.skipIf(process.platform !== "linux")(
    "of a process that was killed and that nobody has waited for is taken over",
    async () => {
      // The shell starts a child and becomes `sleep`, which never asks after it; a child that ended sooner the shell itself might ask after.
      const parent = spawn("sh", ["-c", "sleep 1 & echo $!; exec sleep 30"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      try {
        const [text] = (await once(parent.stdout, "data")) as [Buffer];
        const pid = Number(text.toString());
        const stat = (): string => readFileSync(`/proc/${pid}/stat`, "utf8");
        await vi.waitFor(() => expect(stat()).toContain(") Z "), 5000);
        const path = inNew("zombie");
        const began = stat()
          .slice(stat().lastIndexOf(")") + 2)
          .split(" ")[19];
        writeFileSync(path, holder({ pid, began }));
        await (await acquireLock(path, "the folder")).release();
      } finally {
        parent.kill("SIGKILL");
      }
    },
  );
  it("of another machine counts: its processes cannot be asked", async () => {
    const path = inNew("elsewhere");
    writeFileSync(path, holder({ host: "another-machine", pid: deadPid }));
    await expect(acquireLock(path, "the folder")).rejects.toThrow(`process ${deadPid} on another-machine`);
    expect(readFileSync(path, "utf8")).toContain('"old"');
  });
  it("left by a dead process goes to one of many that ask at the same time", async () => {
    const path = inNew("race");
    writeFileSync(path, holder({ pid: deadPid }));
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(path, "the folder")));
    expect(asked.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect(readdirSync(join(path, ".."))).toEqual([".lock"]);
  });
  it("left by a dead process is taken over although another one died while it took it over", async () => {
    for (const claim of [holder({ pid: deadPid, token: "claimant" }), '{"pid":']) {
      const path = inNew(`claimed ${Math.random()}`);
      writeFileSync(path, holder({ pid: deadPid }));
      writeFileSync(`${path}.old-0`, claim);
      await (await acquireLock(path, "the folder")).release();
      expect(readdirSync(join(path, ".."))).toEqual([]);
    }
  });
  it("that somebody is just taking over is left to them", async () => {
    const path = inNew("being claimed");
    const other = holder({ pid: process.ppid, token: "claimant", began: undefined });
    writeFileSync(path, holder({ pid: deadPid }));
    writeFileSync(`${path}.old-0`, other);
    await expect(acquireLock(path, "the folder")).rejects.toThrow(`process ${process.ppid}`);
    expect(readFileSync(`${path}.old-0`, "utf8")).toBe(other);
  });
  it("is waited for by who wants to, and says so once", async () => {
    const path = inNew("waited");
    const lock = await acquireLock(path, "the folder");
    let told = 0;
    const waiting = waitForLock(path, "the folder", { onWait: () => told++ });
    await setTimeout(400); // one look in vain and a second one
    await lock.release();
    await (await waiting).release();
    expect(told).toBe(1);
    const stopped = waitForLock(path, "the folder", { signal: AbortSignal.abort() });
    await (await stopped).release(); // nothing to wait for
  });
  it("that somebody else took over is not removed by its first holder", async () => {
    const path = inNew("taken");
    const lock = await acquireLock(path, "the folder");
    writeFileSync(path, holder({ token: "new" }));
    await lock.release();
    expect(existsSync(path)).toBe(true);
  });
});
