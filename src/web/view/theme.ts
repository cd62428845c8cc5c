/** Light or dark, or as the system has it. */
import type { Keep } from "../keep.ts";

export const themes = ["auto", "light", "dark"] as const;
export type Theme = typeof themes[number];

const NAME = "openclaw.theme";

export function loadTheme(keep: Keep): Theme {
  const kept = keep.getItem(NAME);
  return themes.find((theme) => theme === kept) ?? "auto";
}

/** Shows the page in these colours, and does so again the next time. */
export function showTheme(theme: Theme, keep: Keep): void {
  keep.setItem(NAME, theme);
  document.documentElement.dataset.theme = theme;
}
