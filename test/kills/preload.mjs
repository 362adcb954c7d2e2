/**
 * Counts the writing file operations of a process, in all its threads, and strikes at the N-th of them. Loaded with `--import`; what
 * it is to do stands in TACIT_FAULT as JSON (`Fault` in faults.ts):
 *
 *   log    file that gets one line an operation, `{n, operation, path, data}`, before the operation is done
 *   at     which one, from 1; without: they are only counted
 *   how    kill: the process dies before it; half: half of the data is written, then it dies; stop: the process stops before it, until
 *          somebody sends SIGCONT; eio: it fails; enospc: it fails, and so does everything after it that takes space
 *   free   bytes that the disk is said to have left
 *
 * Operations on standard streams do not count. May not know: the program.
 */
import fs from "node:fs";
import fsp from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";

const { log, at = 0, how = "count", free } = JSON.parse(process.env.TACIT_FAULT ?? "{}");
const COUNTER = "writing file operations"; // one for all threads
if (isMainThread) setEnvironmentData(COUNTER, new SharedArrayBuffer(4));
const counter = new Int32Array(getEnvironmentData(COUNTER));

const real = { writeSync: fs.writeSync, openSync: fs.openSync, closeSync: fs.closeSync };
const logFile = log === undefined ? undefined : real.openSync(log, "a");

/** Paths of open files: by number, and by handle. */
const pathOfNumber = new Map();
const pathOfHandle = new WeakMap();

function die() {
  process.kill(process.pid, "SIGKILL");
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

const FAILURES = { eio: ["EIO", -5, "i/o error"], enospc: ["ENOSPC", -28, "no space left on device"] };

/** As Node's own: with a path only where the call was given one. */
function failure(syscall, path) {
  const [code, errno, text] = FAILURES[how];
  const named = path === undefined ? "" : ` '${path}'`;
  return Object.assign(new Error(`${code}: ${text}, ${syscall}${named}`), {
    code,
    errno,
    syscall,
    ...(path && { path }),
  });
}

/**
 * @param target.path       of the file
 * @param target.named      the path was an argument of the call
 * @param target.takesSpace
 * @param target.writeHalf  of the data, where there is some
 * @returns the error to fail with
 */
function strike(operation, { path, named, takesSpace, writeHalf }) {
  const n = Atomics.add(counter, 0, 1) + 1;
  if (logFile !== undefined) {
    real.writeSync(
      logFile,
      `${JSON.stringify({ n, operation, path: String(path ?? ""), data: writeHalf !== undefined })}\n`,
    );
  }
  if (at === 0 || n < at || (n > at && how !== "enospc")) return undefined;
  if (how === "kill") die();
  if (how === "half") {
    writeHalf?.();
    die();
  }
  if (how === "stop") process.kill(process.pid, "SIGSTOP");
  if (how === "eio") return failure(operation, named);
  if (how !== "enospc" || !takesSpace) return undefined;
  writeHalf?.();
  return failure(operation, named);
}

const bytesOf = (data, encoding) => {
  if (typeof data === "string") return Buffer.from(data, typeof encoding === "string" ? encoding : "utf8");
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : undefined;
};

/** Half of `data` to an open file, at `position` where that is a number. */
function halfOf(fd, data, position) {
  const bytes = bytesOf(data);
  if (bytes === undefined || bytes.length < 2) return undefined;
  return () => real.writeSync(fd, bytes, 0, bytes.length >> 1, typeof position === "number" ? position : null);
}

/** Half of `data` to a file that is not open, as `fs.writeFile` would. */
function halfToPath(path, data, options, flag) {
  const bytes = bytesOf(data, options?.encoding ?? options);
  if (bytes === undefined || bytes.length < 2) return undefined;
  return () => {
    const fd = real.openSync(path, options?.flag ?? flag);
    real.writeSync(fd, bytes, 0, bytes.length >> 1, null);
    real.closeSync(fd);
  };
}

const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = fs.constants;
const writes = (flags) =>
  typeof flags === "number"
    ? (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) !== 0
    : !/^(r|rs|sr)$/.test(flags ?? "r");

/** Operations on paths: what they do, from their arguments; undefined: nothing is written. */
const onPaths = {
  open: ([path, flags]) => (writes(flags) ? { path, named: path, takesSpace: true } : undefined),
  writeFile: ([path, data, options]) => pathOrOpen(path, data, options, "w"),
  appendFile: ([path, data, options]) => pathOrOpen(path, data, options, "a"),
  mkdir: ([path]) => ({ path, named: path, takesSpace: true }),
  mkdtemp: ([path]) => ({ path, named: path, takesSpace: true }),
  copyFile: ([, path]) => ({ path, named: path, takesSpace: true }),
  cp: ([, path]) => ({ path, named: path, takesSpace: true }),
  rename: ([from, path]) => ({ path, named: from }),
  link: ([, path]) => ({ path, named: path }),
  symlink: ([, path]) => ({ path, named: path }),
  rm: ([path]) => ({ path, named: path }),
  rmdir: ([path]) => ({ path, named: path }),
  unlink: ([path]) => ({ path, named: path }),
  truncate: ([path]) => ({ path, named: path }),
};
function pathOrOpen(path, data, options, flag) {
  if (typeof path === "object" && "fd" in path) return undefined; // a handle counts for itself
  if (typeof path === "number") return onNumber(path, halfOf(path, data));
  return { path, named: path, takesSpace: true, writeHalf: halfToPath(path, data, options, flag) };
}
const onNumber = (fd, writeHalf, takesSpace = true) =>
  fd <= 2 || fd === logFile ? undefined : { path: pathOfNumber.get(fd), takesSpace, writeHalf };

/** Operations on numbers of open files. */
const onNumbers = {
  write: ([fd, data, offset, , position]) =>
    onNumber(fd, halfOf(fd, data, typeof data === "string" ? offset : position)),
  writev: ([fd, parts, position]) => onNumber(fd, halfOf(fd, Buffer.concat(parts), position)),
  ftruncate: ([fd]) => onNumber(fd, undefined, false),
  fsync: ([fd]) => onNumber(fd, undefined, false),
  fdatasync: ([fd]) => onNumber(fd, undefined, false),
};

/** Operations on handles. */
const onHandles = {
  write: (handle, [data, offset, , position]) =>
    onHandle(handle, halfOf(handle.fd, data, typeof data === "string" ? offset : position)),
  writev: (handle, [parts, position]) => onHandle(handle, halfOf(handle.fd, Buffer.concat(parts), position)),
  writeFile: (handle, [data]) => onHandle(handle, halfOf(handle.fd, data)),
  appendFile: (handle, [data]) => onHandle(handle, halfOf(handle.fd, data)),
  truncate: (handle) => onHandle(handle, undefined, false),
  sync: (handle) => onHandle(handle, undefined, false),
  datasync: (handle) => onHandle(handle, undefined, false),
};
const onHandle = (handle, writeHalf, takesSpace = true) => ({ path: pathOfHandle.get(handle), takesSpace, writeHalf });

let inside = false; // of one synchronous call that makes others
for (const [name, describe] of Object.entries({ ...onPaths, ...onNumbers })) {
  const sync = fs[`${name}Sync`];
  if (sync !== undefined) {
    fs[`${name}Sync`] = (...args) => {
      if (inside) return sync(...args);
      const target = describe(args);
      const error = target && strike(name, target);
      if (error !== undefined) throw error;
      inside = true;
      try {
        const result = sync(...args);
        if (name === "open") pathOfNumber.set(result, args[0]);
        return result;
      } finally {
        inside = false;
      }
    };
  }
  const callback = fs[name];
  if (callback !== undefined) {
    fs[name] = (...args) => {
      const target = describe(args);
      const error = target && strike(name, target);
      if (error !== undefined) process.nextTick(args.at(-1), error);
      else callback(...args);
    };
  }
  const promised = onPaths[name] && fsp[name];
  if (promised) {
    fsp[name] = async (...args) => {
      const target = describe(args);
      const error = target && strike(name, target);
      if (error !== undefined) throw error;
      const result = await promised(...args);
      if (name === "open") pathOfHandle.set(result, args[0]);
      return result;
    };
  }
}

if (free !== undefined) {
  const { statfs } = fsp;
  fsp.statfs = async (...args) => {
    const found = await statfs(...args);
    return Object.assign(found, { bavail: Math.floor(free / found.bsize) });
  };
}

const handle = await fsp.open(new URL(import.meta.url), "r");
const prototype = Object.getPrototypeOf(handle);
await handle.close();
for (const [name, describe] of Object.entries(onHandles)) {
  const method = prototype[name];
  prototype[name] = async function (...args) {
    const error = strike(name, describe(this, args));
    if (error !== undefined) throw error;
    return method.apply(this, args);
  };
}
syncBuiltinESMExports();
