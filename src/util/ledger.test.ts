import { appendFile, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { openGrowingLedger, openLedger } from "./ledger.js";

const parse = (value: unknown): { n: number; s: string } => {
  if (typeof value !== "object" || value === null || !("n" in value)) throw new Error("no n");
  return value as { n: number; s: string };
};
const freshPath = async (): Promise<string> =>
  join(await mkdtemp(join(tmpdir(), "tacit-ledger-")), "below", "lines.jsonl");

it("keeps what was appended, over openings", async () => {
  const path = await freshPath();
  const first = await openLedger(path, parse);
  expect(first.lines).toEqual([]);
  await first.append({ n: 1, s: "a\nb\u2028ü" });
  await first.close();
  const second = await openLedger(path, parse);
  await second.append({ n: 2, s: "" });
  await second.close();
  const third = await openLedger(path, parse);
  expect(third.lines).toEqual([
    { n: 1, s: "a\nb\u2028ü" },
    { n: 2, s: "" },
  ]);
  await third.close();
});

it("cut anywhere, it holds the finished lines and goes on after them", async () => {
  const path = await freshPath();
  const whole = await openLedger(path, parse);
  for (let n = 0; n < 5; n++) await whole.append({ n, s: "ü".repeat(n) });
  await whole.close();
  const bytes = await readFile(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length), async (length) => {
      await writeFile(path, bytes.subarray(0, length));
      const finished = bytes.subarray(0, length).toString("latin1").split("\n").length - 1;
      const cut = await openLedger(path, parse);
      expect(cut.lines.map((line) => line.n)).toEqual([0, 1, 2, 3, 4].slice(0, finished));
      for (let n = finished; n < 5; n++) await cut.append({ n, s: "ü".repeat(n) });
      await cut.close();
      expect(await readFile(path)).toEqual(bytes);
    }),
    { numRuns: 30 },
  );
});

it("a finished line that is wrong is named and not skipped", async () => {
  const path = await freshPath();
  await (await openLedger(path, parse)).close();
  await appendFile(path, '{"n":1,"s":""}\n{"m":1}\n');
  await expect(openLedger(path, parse)).rejects.toThrow(/lines\.jsonl:2: not a line of this ledger: no n/);
  await writeFile(path, '{"n":1,"s":""}\n{"n"\n');
  await expect(openLedger(path, parse)).rejects.toThrow(/lines\.jsonl:2: /);
});

it("a growing ledger passes each finished line once, whatever the length of lines, and goes on after them", async () => {
  const path = await freshPath();
  const sizes = [0, 1 << 20, 5, (1 << 20) - 13, 3 << 20, 7]; // around the size of what is read at once
  const text = sizes.map((size, n) => `${JSON.stringify({ n, s: "x".repeat(size) })}\n`).join("");
  await (await openLedger(path, parse)).close();
  await writeFile(path, `${text}{"n":6,"s":"cut`);
  const seen: number[][] = [];
  const ledger = await openGrowingLedger<{ n: number; s: string }>(path, (value) => {
    const { n, s } = parse(value);
    seen.push([n, s.length]);
  });
  expect(seen).toEqual(sizes.map((size, n) => [n, size]));
  const more = Array.from({ length: 100 }, (_, n) => ({ n, s: "ü\n" }));
  await Promise.all(more.map((line) => ledger.append(line)));
  await ledger.close();
  expect(await readFile(path, "utf8")).toBe(text + more.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await appendFile(path, '{"m":1}\n');
  await expect(openGrowingLedger(path, parse)).rejects.toThrow(/lines\.jsonl:107: not a line of this ledger: no n/);
});
