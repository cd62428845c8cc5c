/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** The messages of a conversation. */
import { Component, type ComponentChildren } from "preact";
import type { CallView, Outgoing, Row, Run } from "../conversation.ts";
import type { AnswerEntry, Entry, Picture } from "../entry.ts";
import { CopyButton } from "./copy.tsx";
import { useApp, useCell } from "./hooks.ts";
import { LiveMarkdown, Markdown } from "./markdown.tsx";
import { Tool } from "./tool.tsx";
import { clock, dayName } from "./time.ts";
import { Icon } from "./icon.tsx";

/** One row of the list; drawn again only when what it shows has changed. */
export class RowView extends Component<{ row: Row; conversation: string }> {
  override shouldComponentUpdate({ row }: { row: Row }) {
    return !isSame(row, this.props.row);
  }

  render({ row, conversation }: { row: Row; conversation: string }) {
    switch (row.kind) {
      case "day":
        return (
          <li class="day">
            <span>{dayName(row.at)}</span>
          </li>
        );
      case "entry":
        return row.entry.role === "note"
          ? <li class="day">{row.entry.text}</li>
          : <User at={row.entry.at} text={row.entry.text} pictures={row.entry.pictures} />;
      case "answer":
        return <Answer entry={row.entry} calls={row.calls} isLast={row.isLast} />;
      case "outgoing":
        return <Sent message={row.message} isQueued={row.isQueued} conversation={conversation} />;
      case "run":
        return <Working run={row.run} calls={row.calls} />;
    }
  }
}

function isSame(a: Row, b: Row): boolean {
  if (a.kind === "answer" && b.kind === "answer") {
    return a.entry === b.entry && a.isLast === b.isLast && a.calls.length === b.calls.length &&
      a.calls.every((call, i) =>
        call.state === b.calls[i]?.state && call.output === b.calls[i]?.output
      );
  }
  if (a.kind === "entry" && b.kind === "entry") return a.entry === b.entry;
  if (a.kind === "day" && b.kind === "day") return a.at === b.at;
  return a === b;
}

function User(
  { at, text, pictures, children, state }: {
    at: number;
    text: string;
    pictures: readonly Picture[];
    children?: ComponentChildren;
    state?: string;
  },
) {
  return (
    <li class="message user" data-state={state}>
      <h2 class="unseen">You said</h2>
      {pictures.length > 0 && <Pictures pictures={pictures} />}
      {text !== "" && <div class="bubble" dir="auto">{text}</div>}
      <footer>{children ?? <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>}</footer>
    </li>
  );
}

function Pictures({ pictures }: { pictures: readonly Picture[] }) {
  return (
    <div class="pictures">
      {pictures.map(({ src, name, bytes }, index) =>
        src?.startsWith("data:image/")
          ? <img key={index} src={src} alt={name ?? "Picture"} />
          : (
            <span key={index} class="chip">
              <Icon name="attach" /> {name ?? "Picture"}
              {bytes === undefined ? "" : ` (${sizeInWords(bytes)})`}
            </span>
          )
      )}
    </div>
  );
}

/** A size for people. */
export function sizeInWords(bytes: number): string {
  return bytes < 1_000_000
    ? `${Math.max(1, Math.round(bytes / 1_000))} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function Sent(
  { message, isQueued, conversation }: {
    message: Outgoing;
    isQueued: boolean;
    conversation: string;
  },
) {
  const app = useApp();
  const link = useCell(app.link.state);
  const { text, pictures, at, state } = message;
  const discard = (
    <button type="button" onClick={() => app.chats.discard(conversation, message)}>
      Discard
    </button>
  );
  if (state === "failed") {
    return (
      <User at={at} text={text} pictures={pictures} state={state}>
        <span class="problem">Not sent: {message.problem}</span>
        <button type="button" onClick={() => app.chats.resend(conversation, message)}>
          Try again
        </button>
        {discard}
      </User>
    );
  }
  if (state === "sending" && link.is !== "connected") {
    return (
      <User at={at} text={text} pictures={pictures} state={state}>
        Waiting for the gateway
        {discard}
      </User>
    );
  }
  return (
    <User at={at} text={text} pictures={pictures} state={state}>
      {state === "sending"
        ? "Sending…"
        : isQueued
        ? "Queued: the agent is still at work"
        : clock(at)}
    </User>
  );
}

function Answer(
  { entry, calls, isLast }: {
    entry: Entry & AnswerEntry;
    calls: readonly CallView[];
    isLast: boolean;
  },
) {
  const { text, thinking, end, problem, at, model } = entry;
  const isComplete = isLast && end !== "calling";
  return (
    <li class="message answer">
      <h2 class="unseen">The agent said</h2>
      {thinking !== "" && <Thinking text={thinking} />}
      {text !== "" && <Markdown text={text} />}
      {calls.map((call) => <Tool key={call.callId} call={call} />)}
      {end === "failed" && (
        <div class="failure" role="note">
          <Icon name="warning" />
          <p>{problem ?? "The answer failed."}</p>
        </div>
      )}
      {isComplete && (
        <footer>
          <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
          {model !== undefined && <span class="model">{modelName(model)}</span>}
          {end === "stopped" && <span>Stopped</span>}
          {end === "cut" && <span>Cut off: the model's limit was reached</span>}
          {text !== "" && <CopyButton text={text} what="answer" />}
        </footer>
      )}
    </li>
  );
}

function modelName(model: string): string {
  return model === "openclaw/gateway-injected" ? "gateway" : model;
}

function Thinking({ text, isLive = false }: { text: string; isLive?: boolean }) {
  return (
    <details class="thinking">
      <summary>
        <Icon name="chevron" />
        {isLive ? "Thinking…" : "Thoughts"}
      </summary>
      <p>{text}</p>
    </details>
  );
}

/** What the agent is doing now. */
function Working({ run, calls }: { run: Run; calls: readonly CallView[] }) {
  const { text, thinking, doing } = run;
  const isTooling = [...run.tools.values()].some(({ state }) => state === "running");
  const activity = doing ??
    (isTooling
      ? "Using a tool"
      : text !== ""
      ? "Writing"
      : thinking !== ""
      ? "Thinking"
      : "Working");
  return (
    <li class="message answer live">
      <h2 class="unseen">The agent is answering</h2>
      {thinking !== "" && <Thinking text={thinking} isLive={text === ""} />}
      {text !== "" && <LiveMarkdown text={text} />}
      {calls.map((call) => <Tool key={call.callId} call={call} />)}
      <footer>
        <span class="pulse" aria-hidden="true" />
        {activity}…
      </footer>
    </li>
  );
}
