/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** A few things to choose from, behind one button. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";

export interface MenuItem {
  readonly icon: IconName;
  readonly label: string;
  readonly run: () => void;
}

export function Menu({ label, items }: { label: string; items: readonly MenuItem[] }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = ({ target }: PointerEvent) => {
      if (target instanceof Node && !box.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [isOpen]);

  function press(event: KeyboardEvent): void {
    const entries = [...box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? []];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    if (event.key === "ArrowDown") entries[(at + 1) % entries.length]?.focus();
    else if (event.key === "ArrowUp") entries.at(at - 1)?.focus();
    else if (event.key === "Escape") shut();
    else if (event.key === "Tab") setOpen(false);
    else return;
    if (event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
  }

  function shut(): void {
    setOpen(false);
    button.current?.focus();
  }

  return (
    <div class="menu" ref={box}>
      <button
        type="button"
        class="quiet"
        ref={button}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <ul role="menu" aria-label={label} onKeyDown={press}>
          {items.map(({ icon, label, run }) => (
            <li key={label} role="none">
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                onClick={() => {
                  shut();
                  run();
                }}
              >
                <Icon name={icon} /> {label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
