/** Discord's ids: numbers as text, of which the greater is the younger. */

const EPOCH = 1_420_070_400_000;

/** When something was made, in epoch milliseconds. */
export function timeOf(id: string): number {
  return Number(BigInt(id) >> 22n) + EPOCH;
}

/** An id that is less than those of everything made from then on. */
export function idAt(ms: number): string {
  return String(BigInt(Math.max(0, Math.floor(ms) - EPOCH)) << 22n);
}

export function isId(text: unknown): boolean {
  return typeof text === "string" && /^\d{15,20}$/.test(text);
}

/** For sorting, oldest first. */
export function byAge(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
