/**
 * Parquet rows as plain objects, one row group at a time. Sizes that a file claims are held against bounds before anything
 * is allocated for them.
 * May not know: data sets.
 */
import { fstatSync, readSync } from "node:fs";
import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { reasonOf, UserError } from "../../util/errors.js";
import { openInput } from "../../util/input.js";
import { excerpt } from "../../util/terminal.js";
import type { RawRecord } from "../record.js";
import { decodeUtf8 } from "./bytes.js";

/** The largest column of one row group after decompression. */
const MAX_GROUP_BYTES = 1024 * 1024 * 1024;
const MAX_GROUP_ROWS = 10_000_000;
/** Rows handed on at once. */
const BATCH = 1000;

/** Stands where bytes were not UTF-8; no text field accepts it, so the row is reported. */
const INVALID_TEXT = { invalid: "UTF-8" } as const;

/** @throws UserError  not a Parquet file, damaged, or with sizes beyond the bounds */
export async function* readParquet(file: string): AsyncGenerator<RawRecord[]> {
  const handle = await openInput(file);
  try {
    const source = sourceOf(handle.fd);
    const library = await loadLibrary();
    const metadata = await attempt(file, () => library.parquetMetadataAsync(source, METADATA));
    yield* readGroups(library, file, source, metadata);
  } finally {
    await handle.close();
  }
}

/** Nobody here asks for geography, and hyparquet's look for it (1.31.5) walks in circles where a schema claims fewer than no children. */
const METADATA = { geoparquet: false };

/** Loaded when the first Parquet file is: most sessions never need it. */
async function loadLibrary() {
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }, { checkPages }] =
    await Promise.all([import("hyparquet"), import("hyparquet-compressors"), import("./parquet-pages.js")]);
  return { parquetMetadataAsync, parquetReadObjects, parquetSchema, compressors, checkPages };
}
type Library = Awaited<ReturnType<typeof loadLibrary>>;

async function* readGroups(
  library: Library,
  file: string,
  source: AsyncBuffer,
  metadata: FileMetaData,
): AsyncGenerator<RawRecord[]> {
  const { compressors, parquetSchema } = library;
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rows = boundedRows(file, group);
    const rowEnd = rowStart + rows;
    const objects = await attempt(file, async () => {
      await library.checkPages({ file: source, metadata, compressors, parquetSchema }, group);
      return library.parquetReadObjects({
        file: source,
        metadata,
        rowStart,
        rowEnd,
        compressors,
        parsers: { stringFromBytes },
      });
    });
    if (objects.length !== rows) {
      throw new UserError(`${file} is damaged: ${objects.length} rows where its footer says ${rows}`);
    }
    for (let from = 0; from < rows; from += BATCH) {
      yield objects.slice(from, from + BATCH).map((value, i) => ({
        kind: "record",
        at: { file, line: rowStart + from + i + 1, unit: "row" },
        value,
      }));
    }
    rowStart = rowEnd;
  }
}

const stringFromBytes = (bytes: Uint8Array | undefined): unknown =>
  bytes === undefined ? undefined : (decodeUtf8(bytes) ?? INVALID_TEXT);

function boundedRows(file: string, group: FileMetaData["row_groups"][number]): number {
  const rows = Number(group.num_rows);
  if (!Number.isSafeInteger(rows) || rows < 0 || rows > MAX_GROUP_ROWS) {
    throw new UserError(`${file}: a row group claims ${rows} rows; at most ${MAX_GROUP_ROWS} are read`);
  }
  for (const column of group.columns) {
    const bytes = Number(column.meta_data?.total_uncompressed_size ?? 0);
    if (bytes < 0 || bytes > MAX_GROUP_BYTES) {
      throw new UserError(
        `${file}: a column claims ${bytes} bytes in one row group; at most ${MAX_GROUP_BYTES} are read`,
        {
          remedy: "write the file with smaller row groups",
        },
      );
    }
  }
  return rows;
}

/**
 * hyparquet asks for slices; one that lies outside the file is the file's defect. Reads are synchronous: after a first
 * failure hyparquet leaves the reads under way to themselves, and their failures would go unhandled.
 */
function sourceOf(descriptor: number): AsyncBuffer {
  const byteLength = fstatSync(descriptor).size;
  const slice = (start: number, end = byteLength): ArrayBuffer => {
    const stop = Math.min(end, byteLength);
    if (!Number.isSafeInteger(start) || start < 0 || !(start <= stop)) {
      throw new Error(`bytes ${start} to ${end} of a file of ${byteLength}`);
    }
    const bytes = new Uint8Array(stop - start);
    for (let filled = 0; filled < bytes.length; ) {
      const read = readSync(descriptor, bytes, filled, bytes.length - filled, start + filled);
      if (read === 0) throw new Error("the file ended early");
      filled += read;
    }
    return bytes.buffer;
  };
  return { byteLength, slice };
}

/** Whatever hyparquet throws on a damaged file, as one line. */
async function attempt<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file} cannot be read as Parquet: ${excerpt(reasonOf(error))}`, {
      remedy: "fetch it again, or export it as JSON lines",
      cause: error,
    });
  }
}
