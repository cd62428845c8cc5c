/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Copying a text. */
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";
import { useApp } from "./hooks.ts";

/** A button that copies a text and says that it did. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const app = useApp();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => app.attempt(`Copying the ${what}`, () => copyText(text)).then(setCopied);
  return (
    <button
      type="button"
      class="quiet small"
      aria-label={copied ? `Copied the ${what}` : `Copy the ${what}`}
      onClick={copy}
    >
      <Icon name={copied ? "check" : "copy"} />
      <span aria-hidden="true">{copied ? "Copied" : "Copy"}</span>
    </button>
  );
}

async function copyText(text: string): Promise<void> {
  // The clipboard's own interface is missing on pages that came by plain http.
  if (navigator.clipboard !== undefined) return await navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("this browser doesn't allow it here");
}
