/** How the views watch the page's parts. */
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { App } from "../app.ts";
import type { Cell } from "../cell.ts";

/** The page's parts, for every view below. */
export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("No App above this view");
  return app;
}

/** The value of a cell; the view is drawn again when it changes. */
export function useCell<T>(cell: Cell<T>): T {
  const [, redraw] = useState({});
  useEffect(() => {
    const stop = cell.watch(() => redraw({}));
    redraw({}); // it may have changed before we watched
    return stop;
  }, [cell]);
  return cell.value;
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const [holds, set] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const tell = () => set(media.matches);
    media.addEventListener("change", tell);
    tell();
    return () => media.removeEventListener("change", tell);
  }, [query]);
  return holds;
}

/** The time, as often as it matters to the view; not at all without `everyMs`. */
export function useNow(everyMs: number | undefined): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    if (everyMs === undefined) return;
    set(Date.now());
    const timer = setInterval(() => set(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
