/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** The list of messages, and how it scrolls. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Conversation, movingRows, settledRows, toolsOf } from "../conversation.ts";
import { useApp, useCell } from "./hooks.ts";
import { Icon, Mark } from "./icon.tsx";
import { RowView } from "./message.tsx";

/** So close to the end one follows what is added, in pixels. */
const NEAR_END = 120;

export function ConversationView({ id }: { id: string }) {
  const app = useApp();
  const conversation = useCell(app.chats.get(id));
  const { entries, phase, olderFrom } = conversation;
  const tools = toolsOf(conversation);
  const settled = useMemo(() => settledRows(entries, tools), [entries, tools]);
  const moving = movingRows(conversation);
  const scroll = useScroll(conversation);
  const isEmpty = settled.length + moving.length === 0;
  return (
    <div class="conversation" ref={scroll.box} onScroll={scroll.moved} tabIndex={-1}>
      {phase === "failed" && <Failed conversation={conversation} />}
      {phase === "loading" && isEmpty && <Loading />}
      {phase === "ready" && isEmpty && <Empty />}
      {olderFrom !== undefined && <Older id={id} box={scroll.box} keep={scroll.keep} />}
      <ol class="messages" aria-label="Messages">
        {settled.map((row) => <RowView key={row.id} row={row} conversation={id} />)}
        {moving.map((row) => <RowView key={row.id} row={row} conversation={id} />)}
      </ol>
      {!scroll.isAtEnd && (
        <button type="button" class="latest" onClick={scroll.toEnd}>
          <Icon name="down" /> Latest
        </button>
      )}
    </div>
  );
}

/** Stays at the end while things are added there, and in place while they are added above. */
function useScroll(conversation: Conversation) {
  const box = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const follows = useRef(true);
  const kept = useRef<number | undefined>(undefined);
  const { key, phase, entries, runs, outgoing } = conversation;

  const toEnd = useCallback(() => {
    follows.current = true;
    setAtEnd(true);
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, []);
  const moved = useCallback(() => {
    if (!box.current) return;
    const { scrollHeight, scrollTop, clientHeight } = box.current;
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
    setAtEnd(follows.current);
  }, []);
  /** Call before something is added above. */
  const keep = useCallback(() => {
    if (box.current) kept.current = box.current.scrollHeight - box.current.scrollTop;
  }, []);

  useLayoutEffect(toEnd, [key, phase]);
  const mine = outgoing.at(-1)?.key;
  useLayoutEffect(() => {
    if (mine !== undefined) toEnd(); // what one says oneself, one wants to see
  }, [mine]);
  useLayoutEffect(() => {
    if (!box.current) return;
    if (kept.current !== undefined && entries.length > 0) {
      box.current.scrollTop = box.current.scrollHeight - kept.current;
      kept.current = undefined;
    } else if (follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [entries, runs]);
  useEffect(() => {
    if (!box.current) return;
    const stay = new ResizeObserver(() => {
      if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
    });
    stay.observe(box.current); // the keyboard of a phone, a growing message box
    return () => stay.disconnect();
  }, []);
  return { box, isAtEnd, toEnd, moved, keep };
}

/** Reads older messages as one gets near them. */
function Older(
  { id, box, keep }: { id: string; box: { current: HTMLElement | null }; keep: () => void },
) {
  const app = useApp();
  const button = useRef<HTMLButtonElement>(null);
  const [isReading, setReading] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const read = useCallback(async () => {
    setReading(true);
    const isRead = await app.attempt("Loading older messages", async () => {
      await app.chats.readOlder(id, keep);
    });
    setFailed(!isRead);
    setReading(false);
  }, [id]);
  useEffect(() => {
    if (button.current === null || isReading || hasFailed) return;
    const near = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && box.current && box.current.scrollHeight > 0) void read();
      },
      { root: box.current, rootMargin: "400px 0px 0px 0px" },
    );
    near.observe(button.current);
    return () => near.disconnect();
  }, [read, isReading, hasFailed]);
  return (
    <button type="button" class="older" ref={button} disabled={isReading} onClick={read}>
      {isReading ? "Loading…" : "Load older messages"}
    </button>
  );
}

function Loading() {
  return <p class="hint" role="status">Loading the conversation…</p>;
}

function Failed({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  return (
    <div class="failure">
      <Icon name="warning" />
      <p>The conversation can't be loaded: {conversation.problem}</p>
      <button type="button" onClick={() => app.chats.read(conversation.key)}>Try again</button>
    </div>
  );
}

function Empty() {
  return (
    <div class="empty">
      <Mark />
      <h2>What is on your mind?</h2>
      <p>
        Ask something, hand over a picture, or type <kbd>/</kbd> to see what else can be done here.
      </p>
    </div>
  );
}
