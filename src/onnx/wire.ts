/**
 * The protobuf wire format, writing only: https://protobuf.dev/programming-guides/encoding/
 * May not know: ONNX.
 */
const textEncoder = new TextEncoder();

/** One message under construction. Parts are kept as they are and joined once. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  /** Wire type 0. `value` is a non-negative whole number below 2^53, or -1 and the like as 64-bit two's complement. */
  varint(field: number, value: number): this {
    this.#push(varintBytes(field * 8));
    this.#push(varintBytes(value));
    return this;
  }

  /** Wire type 5. */
  float(field: number, value: number): this {
    this.#push(varintBytes(field * 8 + 5));
    this.#push(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  /** Wire type 2. */
  bytes(field: number, value: Uint8Array): this {
    this.#push(varintBytes(field * 8 + 2));
    this.#push(varintBytes(value.length));
    this.#push(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, textEncoder.encode(value));
  }

  message(field: number, value: MessageWriter): this {
    this.#push(varintBytes(field * 8 + 2));
    this.#push(varintBytes(value.#length));
    for (const part of value.#parts) this.#push(part);
    return this;
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      result.set(part, offset);
      offset += part.length;
    }
    return result;
  }
}

/** Most are of one byte: fields, lengths of names. A graph has tens of thousands of them. */
const ofOneByte: readonly Uint8Array[] = Array.from({ length: 0x80 }, (_, value) => Uint8Array.of(value));

function varintBytes(value: number): Uint8Array {
  const short = ofOneByte[value];
  if (short !== undefined) return short;
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
