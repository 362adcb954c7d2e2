import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { UserError } from "../../util/errors.js";
import type { RawRecord } from "../record.js";
import { readParquet } from "./parquet.js";

const fixture = (name: string) => `test/fixtures/data/${name}.parquet`; // made by python/fixtures/make_data_parquet.py
const files = temporaryFolder();
const all = async (path: string): Promise<RawRecord[]> => {
  const records: RawRecord[] = [];
  for await (const batch of readParquet(path)) records.push(...batch);
  return records;
};
const valuesOf = (records: RawRecord[]) => records.map((record) => record.kind === "record" && record.value);

describe("readParquet", () => {
  it("numbers rows from 1 across row groups", async () => {
    const records = await all(fixture("gsm8k"));
    expect(records.map((record) => [record.at.line, record.at.unit])).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((n) => [n, "row"]),
    );
    expect(valuesOf(records)[4]).toEqual({
      question: "Ada has 5 pens and buys 5 more. How many has she?",
      answer: "Ada has 5+5=<<5+5=10>>10 pens.\n#### 10",
    });
  });

  it("reads lists, structs, 64-bit integers and nulls, under every codec of the fixtures", async () => {
    expect(valuesOf(await all(fixture("lima")))[1]).toEqual({
      conversations: ["Hi ", " Hello!", "Bye", "Good bye, é🙂"],
      source: "ours",
    });
    expect(valuesOf(await all(fixture("messages")))[0]).toEqual({
      id: "a",
      messages: [
        { role: "user", content: "Q1" },
        { role: "assistant", content: "A1" },
      ],
    });
    expect(valuesOf(await all(fixture("mbpp")))[1]).toMatchObject({
      task_id: 601n,
      code: "def add(a, b):\r\n\treturn a + b\r\n",
    });
    expect(valuesOf(await all(fixture("recipes")))[1]).toMatchObject({ Title: null, Instructions: "Do nothing." });
    expect(valuesOf(await all(fixture("pgn")))[4]).toEqual({ text: "1. e4 e5 2. Nf3 1-0" });
  });

  it("does not turn bytes that are no text into replacement characters", async () => {
    const [, second, third] = valuesOf(await all(fixture("invalid-utf8")));
    expect(second).toMatchObject({ response: { invalid: "UTF-8" } });
    expect(third).toMatchObject({ response: "fine too" });
  });

  it("refuses what is no Parquet file, and a missing one", async () => {
    await expect(all(files.write("a.parquet", "hello"))).rejects.toThrow("cannot be read as Parquet");
    await expect(all(files.write("b.parquet", ""))).rejects.toThrow("cannot be read as Parquet");
    await expect(all(files.path("absent.parquet"))).rejects.toThrow("no such file or folder");
  });

  it("refuses a file that was cut off, wherever, with one line", async () => {
    for (const name of ["gsm8k", "lima", "messages"]) {
      const bytes = readFileSync(fixture(name));
      for (let length = 0; length < bytes.length; length += 13) {
        await expect(all(files.write("cut.parquet", bytes.subarray(0, length)))).rejects.toThrow(UserError);
      }
    }
  });

  it.each([
    ["a run of 2,147,483,647 definition levels", 66, "feffffff0f", "a run claims 2147483647 values where 3 are left"],
    ["a run of bits of as many", 66, "ffffffff0f", "a run claims 17179869176 values where 3 are left"],
    ["a run of dictionary indices that is one too long", 69, "08", "a run claims 4 values where 3 are left"],
  ])("refuses %s before anything is allocated for it", async (_, offset, bytes, reason) => {
    const hostile = Buffer.from(readFileSync(fixture("invalid-utf8")));
    expect(hostile.toString("hex", 62, 68)).toBe("020000000601"); // levels of 2 bytes: a run of three 1
    hostile.write(bytes, offset, "hex");
    await expect(all(files.write("hostile.parquet", hostile))).rejects.toThrow(reason);
  });

  it("ends at a schema that claims fewer than no children", async () => {
    const hostile = Buffer.from(readFileSync(fixture("mbpp")));
    expect(hostile[683]).toBe(2); // zigzag of the one child of test_list
    hostile[683] = 5; // of minus three
    await expect(all(files.write("hostile.parquet", hostile))).rejects.toThrow(UserError);
  });

  it("gives rows or one line for a file with a damaged byte, never a crash", async () => {
    const names = ["lima", "messages", "mbpp", "pgn"];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(255), async (name, where, value) => {
        const bytes = Uint8Array.from(readFileSync(fixture(name)));
        bytes[where % bytes.length] = value;
        await all(files.write("damaged.parquet", bytes)).catch((error: unknown) => {
          expect(error).toBeInstanceOf(UserError);
        });
      }),
      { numRuns: 200 },
    );
  });
});
