/** Waits for the disk on behalf of many. */

/** Brings changes to the disk, with one write for all that wait at a time. */
export class GroupSync {
  readonly #write: () => Promise<void>;
  /** Changes so far, and how many of them are on the disk. */
  #changes = 0;
  #written = 0;
  /** How many the write under way surely brings there. */
  #writing = 0;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `write` brings all that was changed before it was called to the disk. */
  constructor(write: () => Promise<void>) {
    this.#write = write;
  }

  get isSynced(): boolean {
    return this.#written === this.#changes;
  }

  /** Something was changed. */
  changed(): void {
    this.#changes++;
  }

  /** Resolves when all changes before the call are on the disk. Rejects where it can't be written. */
  synced(): Promise<void> {
    if (this.isSynced) return Promise.resolve();
    if (this.#running === undefined) return this.#run();
    if (this.#writing === this.#changes) return this.#running;
    this.#next ??= this.#running.catch(() => {}).then(() => this.#run());
    return this.#next;
  }

  #run(): Promise<void> {
    const upTo = this.#changes;
    this.#writing = upTo;
    this.#next = undefined;
    this.#running = this.#write().then(() => {
      this.#written = upTo;
    }).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}
