/**
 * The one way in which files are opened for reading: a regular file after links are followed, or one line that says what stands there.
 * A pipe is never waited for, a device never read, and what is read whole has a bound.
 * May not know: what the bytes mean.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { reasonOf, UserError, userErrorOf, withPath } from "./errors.js";

export interface InputOptions {
  /** What the file is, for messages: `the judge`. */
  readonly what?: string;
  /** What to do where nothing can be read there. */
  readonly remedy?: string;
}

/** Bytes that are read at a time. */
const CHUNK = 256 * 1024;

/** Without it, opening a pipe waits for its writer: one may take the file's place between the look and the opening. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a regular file. The caller closes it.
 *
 * @throws UserError  nothing there, no right to read it, or a folder, pipe, socket or device
 */
export async function openInput(path: string, options: InputOptions = {}): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    refuseIrregular(path, await stat(path), options); // before it is opened: opening a device may do something
    handle = await open(path, FLAGS);
    refuseIrregular(path, await handle.stat(), options);
    return handle;
  } catch (error) {
    await handle?.close();
    throw inputError(path, error, options);
  }
}

/**
 * The whole file.
 *
 * @param options.most  bytes; nothing is allocated for a file that is larger
 * @throws UserError  as `openInput`, or the file is larger
 */
export async function readInput(path: string, options: InputOptions & { readonly most: number }): Promise<Buffer> {
  const { most } = options;
  const handle = await openInput(path, options);
  try {
    const { size } = await handle.stat();
    if (size > most) throw tooLarge(path, `has ${size} bytes`, options);
    const pieces: Buffer[] = [];
    let bytes = 0;
    // What the system makes up as it is read (/proc) has no size, and a file may grow: the end is where nothing more comes.
    for (let wanted = size + 1; ; wanted = CHUNK) {
      const piece = Buffer.allocUnsafe(wanted);
      const { bytesRead } = await handle.read(piece, 0, wanted, bytes);
      if (bytesRead === 0) return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
      bytes += bytesRead;
      if (bytes > most) throw tooLarge(path, `has more than ${most} bytes`, options);
      pieces.push(piece.subarray(0, bytesRead));
    }
  } catch (error) {
    throw inputError(path, error, options);
  } finally {
    await handle.close();
  }
}

/** Opens a regular file to read and to append to, which is made where there is none. The caller closes it. */
export async function openToAppend(path: string): Promise<FileHandle> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw inputError(path, error, {});
  });
  if (status !== undefined) refuseIrregular(path, status, {});
  return open(path, "a+");
}

/** Bytes of a regular file, which is not opened. */
export async function inputSize(path: string): Promise<number> {
  try {
    const status = await stat(path);
    refuseIrregular(path, status, {});
    return status.size;
  } catch (error) {
    throw inputError(path, error, {});
  }
}

/** UTF-8 text without a byte order mark. */
export async function readInputText(path: string, options: InputOptions & { readonly most: number }): Promise<string> {
  return decodeText(await readInput(path, options), path);
}

/** @throws UserError  the bytes are not UTF-8 */
export function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserError(`${path} is not UTF-8 text`, { remedy: "convert it, or fetch it again", cause: error });
  }
}

/** The file's bytes in order, a chunk at a time; each chunk is the caller's own. */
export async function* inputChunks(path: string, options: InputOptions = {}): AsyncGenerator<Buffer> {
  const handle = await openInput(path, options);
  try {
    for (let position = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const { bytesRead } = await handle.read(chunk, 0, CHUNK, position).catch((error: unknown) => {
        throw inputError(path, error, options);
      });
      if (bytesRead === 0) return;
      position += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function refuseIrregular(path: string, status: Stats, { what }: InputOptions): void {
  if (status.isFile()) return;
  const [found, remedy] = kindOf(status);
  throw new UserError(`${path} is ${found}, not a file${what === undefined ? "" : ` (${what})`}`, { remedy });
}

function kindOf(status: Stats): readonly [what: string, remedy: string] {
  if (status.isDirectory()) return ["a folder", "name the file in it"];
  if (status.isFIFO()) return ["a pipe", "write what comes through it to a file first, and name that"];
  if (status.isSocket()) return ["a socket", "name a file"];
  return ["a device", "name a file"];
}

function tooLarge(path: string, how: string, { most, what = "this kind of file" }: InputOptions & { most: number }) {
  return new UserError(`${path} ${how}; at most ${most} are read of ${what}`, {
    remedy: "name another file, or cut it",
  });
}

/** An error of the system with its path, as the user's mistake where it is one. */
function inputError(path: string, error: unknown, { remedy }: InputOptions): unknown {
  if (error instanceof UserError) return error;
  const mistake = userErrorOf(withPath(error, path));
  if (mistake === undefined) {
    if (!(error instanceof Error) || !("syscall" in error)) return error;
    return new UserError(`cannot read ${path}: ${reasonOf(error)}`, {
      remedy: remedy ?? "check the path",
      cause: error,
    });
  }
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  return missing && remedy !== undefined ? new UserError(mistake.message, { remedy, cause: error }) : mistake;
}
