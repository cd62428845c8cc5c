/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Small line drawings. */

const PATHS = {
  attach:
    "M20 11.5 12 19.4a5 5 0 0 1-7.1-7.1l8.3-8.2a3.4 3.4 0 0 1 4.8 4.8L9.8 17a1.7 1.7 0 0 1-2.4-2.4l7.4-7.4",
  check: "M5 12.5 10 17.5 19.5 7",
  chevron: "M9 6l6 6-6 6",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  devices: "M3 5h13v9H3zM3 18h9M19 9h2v11h-6v-6",
  down: "M12 5v13M6 13l6 6 6-6",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  keyboard: "M3 6h18v12H3zM7 10h.01M12 10h.01M17 10h.01M8 14h8",
  menu: "M4 7h16M4 12h16M4 17h16",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  plus: "M12 5v14M5 12h14",
  retry: "M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6",
  search: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM16 16l4.5 4.5",
  send: "M12 20V5M5.5 11 12 4.5 18.5 11",
  stop: "M7.5 7.5h9v9h-9z",
  theme: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 7.5l7-.1M12 12h9M12 16.5l7 .1",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5.5M14 11v5.5",
  out: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
  warning: "M12 4 2.5 20h19zM12 10v4.5M12 17.5h.01",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration only: whatever it stands in has a name of its own. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" data-name={name} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the program: a claw. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path
        transform="rotate(24 16 16)"
        d="M15.5 1.5C7 3 2 9.5 2.8 17.5 3.5 24.5 9.5 29.8 16.2 29.5 23.5 29.3 29.2 23.8 29 16.5 28.9 11.5 26.5 7.5 22.8 5 24 10 22.5 14.5 18 18 12.5 14.5 12 7.5 15.5 1.5z"
      />
    </svg>
  );
}
