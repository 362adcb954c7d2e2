/** Files are opened where they are files, and nothing else is: each other kind is one line, at once. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { UserError } from "./errors.js";
import { inputChunks, openInput, readInput, readInputText } from "./input.js";

const files = temporaryFolder();

const lineOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "no error",
    (error: UserError) => error.line,
  );

async function chunksOf(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of inputChunks(path)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("what is no file", () => {
  const pipe = (name: string): string => {
    const path = files.path(name);
    execFileSync("mkfifo", [path]);
    return path;
  };

  it("a pipe that nobody writes into, also behind a link", async () => {
    const path = pipe("pipe");
    const line = `${path} is a pipe, not a file; write what comes through it to a file first, and name that`;
    expect(await lineOf(openInput(path))).toBe(line);
    expect(await lineOf(readInput(path, { most: 10 }))).toBe(line);
    expect(await lineOf(chunksOf(path))).toBe(line);
    const link = files.path("link");
    symlinkSync(path, link);
    expect(await lineOf(openInput(link))).toBe(line.replace(path, link));
  });

  it("a folder, a device, a socket", async () => {
    const folder = files.path("folder");
    mkdirSync(folder);
    expect(await lineOf(openInput(folder, { what: "the judge" }))).toBe(
      `${folder} is a folder, not a file (the judge); name the file in it`,
    );
    for (const device of ["/dev/zero", "/dev/null", "/dev/full", "/dev/tty"]) {
      expect(await lineOf(readInput(device, { most: 10 }))).toBe(`${device} is a device, not a file; name a file`);
    }
    const socket = files.path("socket");
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await lineOf(openInput(socket))).toBe(`${socket} is a socket, not a file; name a file`);
    server.close();
  });

  it("nothing, a path through a file, a circle of links, and a file that the system does not give", async () => {
    const missing = files.path("missing");
    expect(await lineOf(openInput(missing))).toBe(`${missing}: no such file or folder; check the path`);
    expect(await lineOf(openInput(missing, { remedy: "pass a judge" }))).toBe(
      `${missing}: no such file or folder; pass a judge`,
    );
    const through = `${files.write("file", "x")}/below`;
    expect(await lineOf(openInput(through))).toBe(`${through}: not a folder; check the path`);
    const circle = files.path("circle");
    symlinkSync(circle, circle);
    expect(await lineOf(openInput(circle))).toBe(`${circle}: its links lead in a circle; check the path`);
    expect(await lineOf(readInput("/proc/self/mem", { most: 10 }))).toMatch(/^\/proc\/self\/mem: .*disk/);
  });
});

describe("a file", () => {
  it("of the bound is read, of one byte more is not, and neither is what has no size and goes on", async () => {
    const path = files.write("ten", "0123456789");
    expect((await readInput(path, { most: 10 })).toString()).toBe("0123456789");
    expect(await lineOf(readInput(path, { most: 9, what: "prompts" }))).toBe(
      `${path} has 10 bytes; at most 9 are read of prompts; name another file, or cut it`,
    );
    expect((await readInput("/proc/self/status", { most: 100_000 })).toString()).toContain("VmHWM");
    expect(await lineOf(readInput("/proc/self/status", { most: 100 }))).toContain("has more than 100 bytes");
  });

  it("may be empty, and may be longer than a chunk", async () => {
    expect((await readInput(files.write("empty", ""), { most: 0 })).length).toBe(0);
    const text = "0123456789".repeat(60_000);
    const path = files.write("long", text);
    expect((await chunksOf(path)).toString()).toBe(text);
    expect((await readInput(path, { most: 1e6 })).toString()).toBe(text);
  });

  it("is text without its byte order mark, or not text", async () => {
    expect(await readInputText(files.write("mark", "\ufeffa"), { most: 10 })).toBe("a");
    const path = files.write("latin1", Buffer.from([0xe4]));
    expect(await lineOf(readInputText(path, { most: 10 }))).toBe(
      `${path} is not UTF-8 text; convert it, or fetch it again`,
    );
  });
});
