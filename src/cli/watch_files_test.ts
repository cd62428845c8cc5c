import { strictEqual } from "node:assert/strict";
import { watchFiles } from "./watch_files.ts";

Deno.test("a change is told, however it was made, and once when it is over", async () => {
  const folder = await Deno.makeTempDir();
  const [one, two] = [`${folder}/one`, `${folder}/two`];
  const changes = new Changes();
  using _watch = watchFiles([one, two], () => changes.told());
  try {
    await changes.next(); // what was changed before it began
    await Deno.writeTextFile(one, "made");
    await changes.next();
    await Deno.writeTextFile(one, "more");
    await changes.next();
    await Deno.writeTextFile(`${folder}/new`, "more");
    await Deno.rename(`${folder}/new`, one);
    await changes.next();
    await Deno.symlink(one, two);
    await changes.next();
    await Deno.remove(one);
    await changes.next();
    strictEqual(changes.count, 6);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Waits for one change after another. */
class Changes {
  count = 0;
  #next = Promise.withResolvers<void>();

  told(): void {
    this.count++;
    this.#next.resolve();
  }

  async next(): Promise<void> {
    await this.#next.promise;
    this.#next = Promise.withResolvers();
  }
}
