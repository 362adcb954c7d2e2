/**
 * Several things at a time.
 * May not know: what they are.
 */

/**
 * Does `work` on each item, so many at a time, in their order.
 *
 * @returns what came of each, as it comes. After an error, or when the caller leaves, nothing new begins; what is under way is waited for
 * @throws the first error of `work`
 */
export async function* inParallel<Item, Result>(
  items: Iterable<Item>,
  atATime: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const queue = items[Symbol.iterator]();
  const done: Result[] = [];
  let failure: { readonly error: unknown } | undefined;
  let left = false;
  let wake = (): void => {};
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true && !left; next = queue.next()) {
      try {
        done.push(await work(next.value));
      } catch (error) {
        failure ??= { error };
        left = true;
      }
      wake();
    }
  };
  let working = true;
  const all = Promise.all(Array.from({ length: atATime }, worker)).then(() => {
    working = false;
    wake();
  });
  try {
    while (working || done.length > 0) {
      yield* done.splice(0);
      if (working && done.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    }
    if (failure !== undefined) throw failure.error;
  } finally {
    left = true;
    await all;
  }
}
