import { readFileSync } from "node:fs";
import fc from "fast-check";
import { parquetHeader } from "hyparquet/src/column.js"; // no part of what it offers: here alone, to be compared with
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { UserError } from "../../util/errors.js";
import type { RawRecord } from "../record.js";
import { readParquet } from "./parquet.js";
import { readPageHeader } from "./parquet-header.js";

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

/** Thrift's compact protocol, written apart from the code under test. */
type Field = readonly [id: number, type: number, bytes: readonly number[]];
const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
const int = (id: number, value: number): Field => [id, 5, varint(value < 0 ? -2 * value - 1 : 2 * value)];
const flag = (id: number, value: boolean): Field => [id, value ? 1 : 2, []];
const text = (id: number, bytes: readonly number[]): Field => [id, 8, [...varint(bytes.length), ...bytes]];
const long = (id: number, value: number): Field => [id, 6, varint(value)];
const struct = (fields: readonly Field[]): number[] => {
  let last = 0;
  const bytes = fields.flatMap(([id, type, content]) => {
    const head = id - last > 0 && id - last < 16 ? [((id - last) << 4) | type] : [type, ...varint(2 * id)];
    last = id;
    return [...head, ...content];
  });
  return [...bytes, 0];
};

describe("readPageHeader", () => {
  const number = fc.integer({ min: -5, max: 2 ** 30 });
  const statistics = fc
    .tuple(fc.array(fc.nat(255), { maxLength: 20 }), fc.nat())
    .map(([most, nulls]) => struct([text(1, most), long(3, nulls), flag(7, true)]));
  const header = fc
    .record({
      type: fc.constantFrom(0, 1, 2, 3, 4),
      sizes: fc.tuple(number, number, number),
      inner: fc.tuple(number, number, number, fc.nat(9), number, number),
      compressed: fc.boolean(),
      statistics,
    })
    .map(({ type, sizes: [size, packed, crc], inner: [a, b, c, d, e, f], compressed, statistics: told }) => {
      const second = [int(1, a), int(2, b), int(3, c), int(4, d), int(5, e), int(6, f)];
      return struct([
        ...[int(1, type), int(2, size), int(3, packed), int(4, crc)],
        [5, 12, struct([int(1, a), int(2, d), int(3, 3), int(4, 3), [5, 12, told]])],
        [7, 12, struct([int(1, a), int(2, d), flag(3, false)])],
        [8, 12, struct([...second, flag(7, compressed), [8, 12, told]])],
      ]);
    });
  const ENCODINGS = ["PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED"];
  const readerOf = (bytes: readonly number[]) => ({ view: new DataView(Uint8Array.from(bytes).buffer), offset: 0 });
  const outcome = <T>(read: () => T): T | "refused" => {
    try {
      return read();
    } catch {
      return "refused";
    }
  };

  it("says of any header what hyparquet says of it, damaged ones included", () => {
    fc.assert(
      fc.property(header, fc.nat(), fc.option(fc.nat(255), { nil: undefined }), (bytes, where, value) => {
        const damaged =
          value === undefined ? bytes : bytes.map((byte, i) => (i === where % bytes.length ? value : byte));
        const [one, two] = [readerOf(damaged), readerOf(damaged)];
        const ours = outcome(() => readPageHeader(one));
        const theirs = outcome(() => parquetHeader(two));
        if (ours === "refused") return; // nothing reaches hyparquet then
        if (theirs === "refused") throw new Error("hyparquet refuses it");
        expect(one.offset).toBe(two.offset);
        const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: words } = theirs;
        const same = (a: number, b: unknown) => expect(typeof b === "number" ? b : Number.NaN).toBe(a);
        same(ours.packed, theirs.compressed_page_size);
        same(ours.size, theirs.uncompressed_page_size);
        const inner = { data: first, "data-2": second, dictionary: words, other: undefined }[ours.kind];
        if (inner === undefined) return;
        expect(theirs.type).toBe(
          { data: "DATA_PAGE", "data-2": "DATA_PAGE_V2", dictionary: "DICTIONARY_PAGE", other: "" }[ours.kind],
        );
        same(ours.values, inner.num_values);
        if (ours.encoding in ENCODINGS) expect(inner.encoding).toBe(ENCODINGS[ours.encoding]);
        if (ours.kind !== "data-2") return;
        same(ours.nulls, second?.num_nulls);
        same(ours.definitionBytes, second?.definition_levels_byte_length);
        same(ours.repetitionBytes, second?.repetition_levels_byte_length);
        expect(ours.isCompressed).toBe(second?.is_compressed !== false);
      }),
      { numRuns: 500 },
    );
  });

  it("reads every header that is whole", () => {
    fc.assert(
      fc.property(header, (bytes) => {
        const reader = readerOf(bytes);
        const { kind, values } = readPageHeader(reader);
        expect(reader.offset).toBe(bytes.length);
        expect(Number.isInteger(values)).toBe(kind !== "other");
      }),
    );
  });
});
