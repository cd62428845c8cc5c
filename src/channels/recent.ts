/** A map that forgets what was set longest ago, once it has more than `most` entries. */
export class Recent<K, V> extends Map<K, V> {
  readonly #most: number;

  constructor(most: number, entries: Iterable<readonly [K, V]> = []) {
    super();
    this.#most = most;
    for (const [key, value] of entries) this.set(key, value);
  }

  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#most) this.delete(this.keys().next().value!);
    return this;
  }
}
