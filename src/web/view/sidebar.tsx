/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** The list of conversations, and the way to the rest of the page. */
import { useRef, useState } from "preact/hooks";
import type { SessionRow } from "../../../schemas/sessions.ts";
import { addressOf, type Place } from "../app.ts";
import { ageGroup, titleOf } from "../sessions.ts";
import { useApp, useCell, useNow } from "./hooks.ts";
import { Icon, type IconName, Mark } from "./icon.tsx";
import { type Theme, themes } from "./theme.ts";

export function Sidebar(
  { isOpen, isDrawer, onClose, onHelp, theme, onTheme }: {
    isOpen: boolean;
    isDrawer: boolean;
    onClose: () => void;
    onHelp: () => void;
    theme: Theme;
    onTheme: (theme: Theme) => void;
  },
) {
  const app = useApp();
  const place = useCell(app.place);
  const { phase, pending, wishes } = useCell(app.devices.state);
  const waiting = pending.length + wishes.length;
  const link = useCell(app.link.state);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "auto";
  return (
    <nav class="sidebar" data-open={isOpen} inert={isDrawer && !isOpen} aria-label="Conversations">
      <header>
        <Mark />
        <span class="brand">OpenClaw</span>
        {isDrawer && (
          <button type="button" class="quiet" aria-label="Close the list" onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </header>
      <button
        type="button"
        class="new"
        onClick={() => {
          app.begin();
          onClose();
          if (!isDrawer) {
            document.getElementById("message")?.focus();
          }
        }}
      >
        <Icon name="plus" /> New conversation
      </button>
      <SessionList onChosen={onClose} />
      <footer>
        {phase !== "closed" && (
          <PlaceLink
            place={{ at: "devices" }}
            isCurrent={place.at === "devices"}
            onChosen={onClose}
          >
            <Icon name="devices" /> Devices
            {waiting > 0 && (
              <span class="badge" aria-label={`${waiting} waiting for approval`}>{waiting}</span>
            )}
          </PlaceLink>
        )}
        <div class="row">
          <span class="status" data-state={link.is}>
            {link.is === "connected" ? "Connected" : "Not connected"}
          </span>
          <IconButton
            icon="theme"
            label={`Colours: ${theme === "auto" ? "as the system" : theme}. Change to ${next}`}
            onClick={() =>
              onTheme(next)}
          />
          <IconButton icon="keyboard" label="Keyboard shortcuts" onClick={onHelp} />
          <IconButton
            icon="out"
            label="Sign out"
            onClick={() =>
              void signOut()}
          />
        </div>
      </footer>
    </nav>
  );

  async function signOut(): Promise<void> {
    const answer = await app.ask({
      title: "Sign out?",
      text:
        "This browser forgets its token, and what waits to be sent. To come back you need it again.",
      action: "Sign out",
    });
    if (answer !== undefined) app.signOut();
  }
}

function IconButton(
  { icon, label, onClick }: { icon: IconName; label: string; onClick: () => void },
) {
  return (
    <button type="button" class="quiet" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function SessionList({ onChosen }: { onChosen: () => void }) {
  const app = useApp();
  const { rows, phase, problem, hasMore } = useCell(app.sessions.state);
  const place = useCell(app.place);
  useCell(app.hello);
  const [search, setSearch] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const now = useNow(60_000);
  const current = place.at === "chat" ? app.key : undefined;
  const wanted = search.trim().toLowerCase();
  const shown = withDraft(rows, phase === "ready" ? current : undefined).filter((row) =>
    `${titleOf(row, row.key)} ${row.lastMessagePreview ?? ""} ${row.key}`.toLowerCase()
      .includes(wanted)
  );
  const groups = Map.groupBy(shown, ({ updatedAt }) => ageGroup(updatedAt, now));
  return (
    <>
      <label class="search">
        <Icon name="search" />
        <input
          id="search"
          type="search"
          placeholder="Search"
          aria-label="Search conversations"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") list.current?.querySelector("a")?.focus();
            else if (event.key === "Escape" && search !== "") {
              setSearch("");
              event.stopPropagation();
            } else return;
            event.preventDefault();
          }}
        />
      </label>
      <div class="sessions" ref={list}>
        {phase === "failed" && (
          <p class="problem">
            The list can't be loaded: {problem}{" "}
            <button type="button" class="link" onClick={() => app.sessions.read()}>
              Try again
            </button>
          </p>
        )}
        {phase === "loading" && <p class="hint">Loading…</p>}
        {phase === "ready" && shown.length === 0 && (
          <p class="hint">{wanted === "" ? "No conversations yet." : "Nothing found."}</p>
        )}
        {[...groups].map(([name, members]) => (
          <section key={name}>
            <h2>{name}</h2>
            <ul>
              {members.map((row) => (
                <li key={row.key}>
                  <Item row={row} isCurrent={row.key === current} onChosen={onChosen} />
                </li>
              ))}
            </ul>
          </section>
        ))}
        {hasMore && (
          <button type="button" class="quiet" onClick={() => app.sessions.readMore()}>
            Show older ones
          </button>
        )}
      </div>
    </>
  );
}

/** A conversation that was begun and not yet made is in the list all the same. */
function withDraft(
  rows: readonly SessionRow[],
  key: string | undefined,
): readonly SessionRow[] {
  if (key === undefined || rows.some((row) => row.key === key)) return rows;
  return [{ key, kind: "direct", updatedAt: Date.now(), totalTokensFresh: false }, ...rows];
}

function Item(
  { row, isCurrent, onChosen }: { row: SessionRow; isCurrent: boolean; onChosen: () => void },
) {
  const { key, hasActiveRun, lastMessagePreview, lastChannel } = row;
  const channel = lastChannel === "webchat" ? undefined : lastChannel;
  return (
    <PlaceLink place={{ at: "chat", key }} isCurrent={isCurrent} onChosen={onChosen}>
      <span class="title">
        {titleOf(row, key)}
        {channel && <small>{channel}</small>}
      </span>
      {hasActiveRun
        ? (
          <span class="preview">
            <span class="pulse" aria-hidden="true" /> At work
          </span>
        )
        : <span class="preview">{lastMessagePreview ?? ""}</span>}
    </PlaceLink>
  );
}

/** A link that the page follows itself, and that can be opened in another tab. */
function PlaceLink(
  { place, isCurrent, onChosen, children }: {
    place: Place;
    isCurrent: boolean;
    onChosen: () => void;
    children: preact.ComponentChildren;
  },
) {
  const app = useApp();
  return (
    <a
      href={addressOf(place)}
      aria-current={isCurrent ? "page" : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        app.goTo(place);
        onChosen();
      }}
      onKeyDown={(event) => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        const links = [...document.querySelectorAll<HTMLElement>(".sessions a")];
        const at = links.indexOf(event.currentTarget);
        links[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
        event.preventDefault();
      }}
    >
      {children}
    </a>
  );
}
