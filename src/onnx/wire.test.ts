import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { MessageWriter } from "./wire.js";

const { root } = protobuf.parse(`syntax = "proto2";
  message Inner { repeated int64 ints = 1; optional string text = 2000; }
  message Outer { optional int64 i = 1; optional float f = 15; optional string s = 16; optional bytes b = 17; repeated Inner inner = 3; }`);
const [inner, outer] = [root.lookupType("Inner"), root.lookupType("Outer")];
const decode = (type: protobuf.Type, writer: MessageWriter): Record<string, unknown> =>
  type.toObject(type.decode(writer.finish()), { longs: String });

// Signed 64-bit integers as far as a number is exact.
const integer = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 1, -1, 127, 128, 2 ** 31, -(2 ** 31), 2 ** 53 - 1));

describe("MessageWriter", () => {
  it("writes what protobufjs reads", () => {
    fc.assert(
      fc.property(
        integer,
        fc.float({ noNaN: true }),
        fc.string({ unit: "grapheme" }),
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.array(integer, { maxLength: 4 }), { maxLength: 3 }),
        (i, f, s, b, lists) => {
          const writer = new MessageWriter().varint(1, i).float(15, f).string(16, s).bytes(17, b);
          for (const list of lists) {
            const message = new MessageWriter();
            for (const value of list) message.varint(1, value);
            writer.message(3, message.string(2000, s));
          }
          const read = decode(outer, writer);
          expect(read).toMatchObject({ i: String(i), f, s });
          expect(Buffer.from(read.b as Uint8Array)).toEqual(Buffer.from(b));
          expect(((read.inner ?? []) as { ints?: string[] }[]).map(({ ints = [] }) => ints)).toEqual(
            lists.map((list) => list.map(String)),
          );
        },
      ),
    );
  });

  it.each([
    [0, [0x08, 0x00]],
    [150, [0x08, 0x96, 0x01]], // the example of protobuf's own page on its encoding
    [-1, [0x08, ...new Array<number>(9).fill(0xff), 0x01]], // two's complement of 64 bits: ten bytes
  ])("writes %i as the page on the encoding does", (value, bytes) => {
    expect(Array.from(new MessageWriter().varint(1, value).finish())).toEqual(bytes);
  });

  it("takes a message while it is being written, not as it is later", () => {
    const message = new MessageWriter().varint(1, 5);
    const whole = new MessageWriter().message(3, message);
    message.varint(1, 6);
    expect(decode(outer, whole)).toEqual({ inner: [{ ints: ["5"] }] });
    expect(decode(inner, message)).toEqual({ ints: ["5", "6"] });
  });
});
