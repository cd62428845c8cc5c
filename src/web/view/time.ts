/** Times for people, in their own language's form. */

const CLOCK = format({ hour: "numeric", minute: "2-digit" });
const DAY = format({ weekday: "long", day: "numeric", month: "long" });
const DATE = format({ day: "numeric", month: "short", year: "numeric" });

/** Made on first use: a browser takes its time over it. */
function format(options: Intl.DateTimeFormatOptions): (at: number) => string {
  let made: Intl.DateTimeFormat | undefined;
  return (at) => (made ??= new Intl.DateTimeFormat(undefined, options)).format(at);
}

export function clock(at: number): string {
  return CLOCK(at);
}

export function dayName(at: number, now: number = Date.now()): string {
  const today = new Date(now).setHours(0, 0, 0, 0);
  const day = new Date(at).setHours(0, 0, 0, 0);
  if (day === today) return "Today";
  if (new Date(day).toDateString() === new Date(today - 1).toDateString()) return "Yesterday";
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? DAY(at) : DATE(at);
}

/** How long ago something was. */
export function ago(at: number, now: number = Date.now()): string {
  const minutes = Math.round((now - at) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.round(minutes / 60)} h ago`;
  return DATE(at);
}
