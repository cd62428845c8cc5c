/** Where the page keeps what it needs the next time. */

/** What a browser keeps for this page: `localStorage`, or what stands in for it. */
export type Keep = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Keeps for as long as the page is open. */
export class MemoryKeep implements Keep {
  readonly values = new Map<string, string>();

  getItem(name: string): string | null {
    return this.values.get(name) ?? null;
  }

  setItem(name: string, value: string): void {
    this.values.set(name, value);
  }

  removeItem(name: string): void {
    this.values.delete(name);
  }
}

/** The browser's own, where it has one and lets the page at it. */
export function openKeep(): Keep {
  try {
    localStorage.getItem("");
    return localStorage;
  } catch {
    return new MemoryKeep();
  }
}
