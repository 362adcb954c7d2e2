/**
 * Bytes that are read by position and never all at once: a file, or memory in tests. Every reader of weights stands on it.
 * May not know: what the bytes mean.
 */
import { endianness } from "node:os";
import { invariant, UserError, withPath } from "../util/errors.js";
import { openInput } from "../util/input.js";

export interface ByteSource {
  /** What messages call it: a path. */
  readonly name: string;
  /** Bytes there are. */
  readonly size: number;
  /** Fills `into` from `offset` on. Throws where fewer bytes are left; callers check before they allocate. */
  fill(into: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file for positional reads. */
export async function openFileSource(path: string): Promise<ByteSource> {
  invariant(endianness() === "LE", "weights are little-endian and read in place; this machine is big-endian");
  const handle = await openInput(path);
  const status = await handle.stat();
  return {
    name: path,
    size: status.size,
    async fill(into, offset) {
      let done = 0;
      while (done < into.byteLength) {
        const { bytesRead } = await handle
          .read(into, done, into.byteLength - done, offset + done)
          .catch((error: unknown) => {
            throw withPath(error, path);
          });
        if (bytesRead === 0) throw truncated(path, offset + into.byteLength, offset + done);
        done += bytesRead;
      }
    },
    close: () => handle.close(),
  };
}

/** What `read` makes of a file, which holds it open from then on; closed where it throws. */
export async function openWith<T>(path: string, read: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await openFileSource(path);
  try {
    return await read(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The same over bytes in memory. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    async fill(into, offset) {
      if (offset + into.byteLength > bytes.byteLength)
        throw truncated(name, offset + into.byteLength, bytes.byteLength);
      into.set(bytes.subarray(offset, offset + into.byteLength));
    },
    async close() {},
  };
}

function truncated(name: string, wanted: number, there: number): UserError {
  return new UserError(`${name} ends at byte ${there}, but ${wanted} are needed`, { remedy: "fetch the file again" });
}

/** A fresh array of `length` bytes from `offset` on. The caller has checked both against the size. */
export async function readBytes(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  invariant(offset >= 0 && length >= 0 && offset + length <= source.size, `read of ${length} at ${offset} unchecked`);
  const bytes = new Uint8Array(length);
  await source.fill(bytes, offset);
  return bytes;
}

/**
 * Number of elements of a tensor of that shape.
 * @throws UserError  a dimension that is no whole number from 0 up, or a product beyond 2^53
 */
export function elementCount(shape: readonly number[], what: string): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) throw new UserError(`${what}: ${size} is not the size of a dimension`);
    count *= size;
    if (!Number.isSafeInteger(count)) throw new UserError(`${what}: shape [${shape.join(", ")}] is too large`);
  }
  return count;
}
