/** Times for people, in their own language's form. */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DATE = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
});

export function clock(at: number): string {
  return CLOCK.format(at);
}

export function dayName(at: number, now: number = Date.now()): string {
  const today = new Date(now).setHours(0, 0, 0, 0);
  const day = new Date(at).setHours(0, 0, 0, 0);
  if (day === today) return "Today";
  if (new Date(day).toDateString() === new Date(today - 1).toDateString()) return "Yesterday";
  return new Date(at).getFullYear() === new Date(now).getFullYear()
    ? DAY.format(at)
    : DATE.format(at);
}

/** How long ago something was. */
export function ago(at: number, now: number = Date.now()): string {
  const minutes = Math.round((now - at) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.round(minutes / 60)} h ago`;
  return DATE.format(at);
}
