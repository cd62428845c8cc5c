import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { GroupSync } from "./group_sync.ts";

/** A disk that is done when a test says so. */
class Disk {
  readonly writes: PromiseWithResolvers<void>[] = [];
  readonly write = () => {
    const write = Promise.withResolvers<void>();
    this.writes.push(write);
    return write.promise;
  };
}

Deno.test("nothing is waited for where nothing was changed", async () => {
  const disk = new Disk();
  const sync = new GroupSync(disk.write);
  strictEqual(sync.isSynced, true);
  await sync.synced();
  strictEqual(disk.writes.length, 0);
});

Deno.test("those who wait at one time share a write, those who changed meanwhile the next one", async () => {
  const disk = new Disk();
  const sync = new GroupSync(disk.write);
  const done: string[] = [];
  sync.changed();
  const first = [sync.synced(), sync.synced().then(() => void done.push("first"))];
  sync.changed();
  const second = [sync.synced(), sync.synced()].map((wait) =>
    wait.then(() => void done.push("second"))
  );
  strictEqual(disk.writes.length, 1);
  disk.writes[0]?.resolve();
  await Promise.all(first);
  deepStrictEqual([done, sync.isSynced], [["first"], false]);
  while (disk.writes.length < 2) await Promise.resolve();
  disk.writes[1]?.resolve();
  await Promise.all(second);
  deepStrictEqual([done, sync.isSynced], [["first", "second", "second"], true]);
  strictEqual(disk.writes.length, 2);
});

Deno.test("a write that fails is told to who waits for it, and tried again for the next", async () => {
  const disk = new Disk();
  const sync = new GroupSync(disk.write);
  sync.changed();
  const failed = sync.synced();
  sync.changed();
  const next = sync.synced();
  disk.writes[0]?.reject(new Error("disk is gone"));
  await rejects(failed, /disk is gone/);
  strictEqual(sync.isSynced, false);
  while (disk.writes.length < 2) await Promise.resolve();
  disk.writes[1]?.resolve();
  await next;
  strictEqual(sync.isSynced, true);
});
