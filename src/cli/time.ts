/** Times as people say them. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** `3h 5m`, `12s`, `0s`: at most the two largest units. */
export function duration(ms: number): string {
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
    rest -= count * size;
  }
  return parts.join(" ") || "0s";
}

/** `5m ago`, `in 2h`, `now`; `-` for no time at all. In the largest unit only. */
export function relative(at: number | null | undefined, now: number): string {
  if (at === undefined || at === null) return "-";
  const distance = Math.abs(now - at);
  const [unit, size] = UNITS.find(([, size]) => distance >= size) ?? ["", 0];
  if (size === 0) return "now";
  const text = `${Math.floor(distance / size)}${unit}`;
  return at <= now ? `${text} ago` : `in ${text}`;
}

/** `2026-01-02 12:03:44`, in this machine's zone or in UTC; `-` for what is no time. */
export function moment(time: unknown, utc: boolean): string {
  const date = new Date(typeof time === "string" || typeof time === "number" ? time : NaN);
  if (Number.isNaN(date.getTime())) return "-";
  const local = new Date(date.getTime() - (utc ? 0 : date.getTimezoneOffset() * 60_000));
  return local.toISOString().slice(0, 19).replace("T", " ");
}
