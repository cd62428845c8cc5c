/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** The whole page. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Identity } from "../../client/client.ts";
import type { Keep } from "../keep.ts";
import { titleOf } from "../sessions.ts";
import { Composer } from "./composer.tsx";
import { ConversationView } from "./conversation.tsx";
import { DevicesView } from "./devices.tsx";
import { Dialog, Notices, QuestionDialog } from "./dialog.tsx";
import { DemoNote, Gate, LinkBanner } from "./gate.tsx";
import { useApp, useCell, useMedia } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { Menu } from "./menu.tsx";
import { Sidebar } from "./sidebar.tsx";
import { loadTheme, showTheme } from "./theme.ts";

/** Below this width the list of conversations is a drawer. */
const NARROW = "(max-width: 800px)";

export function Page({ keep, identity }: { keep: Keep; identity: Identity }) {
  const app = useApp();
  const link = useCell(app.link.state);
  const hello = useCell(app.hello);
  // Who was let in before will be again: one can begin to write meanwhile.
  const mayEnter = link.is === "connected" ||
    (link.is === "connecting" && (hello !== undefined || app.link.hasCredential)) ||
    (link.is === "waiting" && hello !== undefined);
  return (
    <>
      {mayEnter ? <Inside keep={keep} identity={identity} /> : <Gate link={link} />}
      <Notices />
      <QuestionDialog />
    </>
  );
}

function Inside({ keep, identity }: { keep: Keep; identity: Identity }) {
  const app = useApp();
  const place = useCell(app.place);
  const link = useCell(app.link.state);
  const { rows, defaults } = useCell(app.sessions.state);
  const spoken = useCell(app.spoken);
  const isDrawer = useMedia(NARROW);
  const [isOpen, setOpen] = useState(false);
  const [isHelping, setHelping] = useState(false);
  const [theme, setTheme] = useState(() => loadTheme(keep));
  const opener = useRef<HTMLButtonElement>(null);
  const { key } = app;
  const row = rows.find((row) => row.key === key);
  const title = place.at === "devices" ? "Devices" : titleOf(row, key);
  const isDemo = (row?.modelProvider ?? defaults?.modelProvider) === "demo";

  useEffect(() => {
    document.title = `${title} – OpenClaw`;
  }, [title]);
  useEffect(() => {
    if (isOpen) {
      document.querySelector<HTMLElement>(".sidebar [aria-current], .sidebar .new")?.focus();
    }
  }, [isOpen]);
  useShortcuts({ onHelp: () => setHelping(true), isOpen, close });

  function close(): void {
    if (!isOpen) return;
    setOpen(false);
    opener.current?.focus();
  }

  return (
    <div class="page">
      <a class="skip" href="#message">Skip to the message box</a>
      <Sidebar
        isOpen={isOpen}
        isDrawer={isDrawer}
        onClose={close}
        onHelp={() => setHelping(true)}
        theme={theme}
        onTheme={(theme) => {
          setTheme(theme);
          showTheme(theme, keep);
        }}
      />
      {isDrawer && isOpen && <div class="shade" onClick={close} />}
      <main class="main" inert={isDrawer && isOpen}>
        <header class="top">
          {isDrawer && (
            <button
              type="button"
              class="quiet"
              ref={opener}
              aria-label="Open the list of conversations"
              aria-expanded={isOpen}
              onClick={() => setOpen(true)}
            >
              <Icon name="menu" />
            </button>
          )}
          <h1>{title}</h1>
          {place.at === "chat" && row !== undefined && <SessionMenu id={key} title={title} />}
        </header>
        {app.hello.value !== undefined && <LinkBanner link={link} />}
        {place.at === "devices" ? <DevicesView ownId={identity.deviceId} /> : (
          <>
            <ConversationView key={key} id={key} />
            <div class="foot">
              {isDemo && <DemoNote />}
              <Composer key={key} id={key} />
            </div>
          </>
        )}
      </main>
      <p class="unseen" role="status" aria-live="polite">{spoken}</p>
      {isHelping && <Help onClose={() => setHelping(false)} />}
    </div>
  );
}

function SessionMenu({ id, title }: { id: string; title: string }) {
  const app = useApp();
  const row = app.sessions.row(id);

  async function rename(): Promise<void> {
    const label = await app.ask({
      title: "Rename the conversation",
      action: "Save",
      field: { label: "Name", value: row?.label ?? title, maxLength: 200 },
    });
    if (label) await app.attempt("Renaming", () => app.sessions.change(id, { label }));
  }

  async function reset(): Promise<void> {
    const answer = await app.ask({
      title: "Start afresh?",
      text: "The agent forgets what was said here. The old messages stay on the gateway's disk.",
      action: "Start afresh",
      isGrave: true,
    });
    if (answer !== undefined) await app.attempt("Starting afresh", () => app.sessions.reset(id));
  }

  async function remove(): Promise<void> {
    const answer = await app.ask({
      title: `Delete “${title}”?`,
      text: "The conversation and all of its messages are removed. This can't be undone.",
      action: "Delete",
      isGrave: true,
    });
    if (answer === undefined) return;
    await app.attempt("Deleting", () => app.remove(id));
  }

  return (
    <Menu
      label="What to do with this conversation"
      items={[
        { icon: "edit", label: "Rename…", run: rename },
        { icon: "retry", label: "Start afresh…", run: reset },
        ...(row?.isMain ? [] : [{ icon: "trash", label: "Delete…", run: remove } as const]),
      ]}
    />
  );
}

const SHORTCUTS: readonly { keys: readonly string[]; meaning: string }[] = [
  { keys: ["Enter"], meaning: "Send the message" },
  { keys: ["Shift", "Enter"], meaning: "New line" },
  { keys: ["/"], meaning: "Write, or choose a command" },
  { keys: ["Esc"], meaning: "Close what is open; stop the agent" },
  { keys: ["N"], meaning: "New conversation" },
  { keys: ["Alt", "↑ ↓"], meaning: "The conversation above or below" },
  { keys: ["Ctrl", "K"], meaning: "Search conversations" },
  { keys: ["?"], meaning: "This list" },
];

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="shortcuts">
        {SHORTCUTS.map(({ keys, meaning }) => (
          <div key={meaning}>
            <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function useShortcuts(
  { onHelp, isOpen, close }: { onHelp: () => void; isOpen: boolean; close: () => void },
): void {
  const app = useApp();
  useEffect(() => {
    function press(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) {
        return;
      }
      const { target, key } = event;
      const isWriting = target instanceof HTMLElement &&
        target.matches("input, textarea, select");
      const hasCommandKey = event.ctrlKey || event.metaKey;
      if (hasCommandKey && key.toLowerCase() === "k") {
        document.getElementById("search")?.focus();
      } else if (key === "Escape") {
        const notice = app.notices.value.at(-1);
        if (isOpen) close();
        else if (notice !== undefined) app.dismiss(notice.id);
        else if (app.place.value.at === "chat" && app.chats.get(app.key).value.runs.size > 0) {
          void app.attempt("Stopping", () => app.chats.stop(app.key));
        } else return;
      } else if (event.altKey && (key === "ArrowUp" || key === "ArrowDown")) {
        step(key === "ArrowDown" ? 1 : -1);
      } else if (isWriting || hasCommandKey || event.altKey) return;
      else if (key === "/") document.getElementById("message")?.focus();
      else if (key === "n") app.begin();
      else if (key === "?") onHelp();
      else return;
      event.preventDefault();
    }

    function step(by: number): void {
      const { rows } = app.sessions.state.value;
      const at = rows.findIndex(({ key }) => key === app.key);
      const next = rows[at + by];
      if (next !== undefined) app.goTo({ at: "chat", key: next.key });
    }

    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [isOpen]);
}
