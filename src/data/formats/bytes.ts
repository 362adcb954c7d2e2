/**
 * A text file as chunks of bytes, and bytes as text: the byte order mark is taken off, what is not UTF-8 text is refused.
 * May not know: lines, records.
 */
import { UserError } from "../../util/errors.js";
import { inputChunks } from "../../util/input.js";

/** The longest record that is held in memory, in bytes. A longer one is a bad row, not an allocation. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** `longer than 16 MiB` */
export const longerThan = (bytes: number): string =>
  bytes % (1024 * 1024) === 0 ? `longer than ${bytes / 1024 / 1024} MiB` : `longer than ${bytes} bytes`;

export const NOT_UTF8 = "not valid UTF-8 (convert the file, for example with iconv -f latin1 -t utf-8)";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text, or undefined where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const SIGNATURES: readonly { readonly bytes: readonly number[]; readonly what: string; readonly remedy: string }[] = [
  { bytes: [0x1f, 0x8b], what: "gzip-compressed", remedy: "unpack it first: gunzip FILE" },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: "zstd-compressed", remedy: "unpack it first: unzstd FILE" },
  { bytes: [0x42, 0x5a, 0x68], what: "bzip2-compressed", remedy: "unpack it first: bunzip2 FILE" },
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: "a zip archive", remedy: "unpack it first: unzip FILE" },
  { bytes: [0x50, 0x41, 0x52, 0x31], what: "a Parquet file", remedy: "give it the ending .parquet" },
  { bytes: [0xff, 0xfe], what: "UTF-16 text", remedy: "convert it: iconv -f utf-16 -t utf-8 FILE" },
  { bytes: [0xfe, 0xff], what: "UTF-16 text", remedy: "convert it: iconv -f utf-16 -t utf-8 FILE" },
];
const LONGEST_SIGNATURE = 4;

/** The file's bytes in order, without a byte order mark. */
export async function* readTextBytes(path: string): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of inputChunks(path)) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < LONGEST_SIGNATURE) continue;
    yield checkedHead(path, head);
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield checkedHead(path, head);
}

function checkedHead(path: string, head: Buffer): Buffer {
  for (const { bytes, what, remedy } of SIGNATURES) {
    if (bytes.every((byte, i) => head[i] === byte)) {
      throw new UserError(`${path} is ${what}`, { remedy: remedy.replace("FILE", path) });
    }
  }
  const hasMark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  return hasMark ? head.subarray(3) : head;
}
