/** The list of conversations. */
import type { EventFrame } from "../../schemas/frames.ts";
import type { ChatMessage } from "../../schemas/message.ts";
import type { ParamsOf } from "../../schemas/mod.ts";
import type { SessionListDefaults, SessionRow } from "../../schemas/sessions.ts";
import { ConnectionError, isEvent } from "../client/client.ts";
import { Cell } from "./cell.ts";
import type { Requests } from "./link.ts";

export interface SessionsState {
  readonly phase: "loading" | "ready" | "failed";
  readonly problem?: string;
  /** Newest first. */
  readonly rows: readonly SessionRow[];
  /** There are older ones that were not asked for. */
  readonly hasMore: boolean;
  /** What a conversation without settings of its own has. */
  readonly defaults?: SessionListDefaults;
}

/** What a person can set on a conversation; `null` goes back to the default. */
export type SessionChange = Pick<ParamsOf<"sessions.patch">, "label" | "model" | "thinkingLevel">;

/** Rows that are asked for at first, and each time that somebody wants more. */
const PAGE = 100;

export class Sessions {
  readonly state: Cell<SessionsState> = new Cell<SessionsState>({
    phase: "loading",
    rows: [],
    hasMore: false,
  });
  readonly #requests: Requests;
  /** For each list that is on its way, what was told meanwhile. */
  readonly #toldMeanwhile = new Set<Map<string, SessionRow | undefined>>();
  #limit = PAGE;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  row(key: string): SessionRow | undefined {
    return this.state.value.rows.find((row) => row.key === key);
  }

  /** Reads the list and follows it from here on. */
  async read(): Promise<void> {
    const told = new Map<string, SessionRow | undefined>();
    this.#toldMeanwhile.add(told);
    try {
      await this.#requests.request("sessions.subscribe", {});
      const { sessions, defaults, hasMore = false } = await this.#requests.request(
        "sessions.list",
        {
          limit: this.#limit,
          includeDerivedTitles: true,
          includeLastMessage: true,
        },
      );
      this.state.set({ phase: "ready", rows: newestFirst(sessions), defaults, hasMore });
      // Events don't wait for the disk, as answers do: what they told is newer.
      for (const [key, row] of told) this.#put(key, row);
    } catch (error) {
      if (error instanceof ConnectionError && error.kind === "closed") return; // asked again later
      const problem = error instanceof Error ? error.message : String(error);
      this.state.change((state) => ({ ...state, phase: "failed", problem }));
    } finally {
      this.#toldMeanwhile.delete(told);
    }
  }

  async readMore(): Promise<void> {
    this.#limit += PAGE;
    await this.read();
  }

  async change(key: string, change: SessionChange): Promise<void> {
    await this.#requests.request("sessions.patch", { key, ...change });
  }

  async reset(key: string): Promise<void> {
    await this.#requests.request("sessions.reset", { key, reason: "new" });
  }

  async remove(key: string): Promise<void> {
    await this.#requests.request("sessions.delete", { key });
    this.#put(key, undefined);
  }

  hear(event: EventFrame): void {
    if (isEvent(event, "sessions.changed")) {
      const { sessionKey, reason, session } = event.payload;
      if (session === undefined && reason !== "delete") void this.read();
      else {
        for (const told of this.#toldMeanwhile) told.set(sessionKey, session);
        this.#put(sessionKey, session);
      }
    } else if (isEvent(event, "session.message")) {
      const { sessionKey, message } = event.payload;
      const row = this.row(sessionKey);
      const said = firstLine(message.content);
      if (row === undefined || said === undefined || message.role === "toolResult") return;
      const derivedTitle = row.derivedTitle ?? (message.role === "user" ? said : undefined);
      this.#put(sessionKey, {
        ...row,
        lastMessagePreview: said,
        ...(derivedTitle === undefined ? {} : { derivedTitle }),
      });
    }
  }

  #put(key: string, row: SessionRow | undefined): void {
    const known = this.row(key);
    const others = this.state.value.rows.filter((other) => other.key !== key);
    // Changes come without what it costs to look up, such as titles.
    const kept = known?.sessionId === row?.sessionId
      ? { derivedTitle: known?.derivedTitle, lastMessagePreview: known?.lastMessagePreview }
      : {};
    const rows = row === undefined ? others : newestFirst([{ ...kept, ...row }, ...others]);
    this.state.change((state) => ({ ...state, rows }));
  }
}

function newestFirst(rows: readonly SessionRow[]): readonly SessionRow[] {
  return rows.toSorted((a, b) => (b.updatedAt ?? 0) - (a.updatedAt ?? 0));
}

function firstLine(content: ChatMessage["content"]): string | undefined {
  const text = typeof content === "string"
    ? content
    : content.flatMap((block) => block.type === "text" ? [block.text] : []).join(" ");
  const line = text.trim().replace(/\s+/g, " ").slice(0, 120);
  return line === "" ? undefined : line;
}

/** What people call a conversation. */
export function titleOf(row: SessionRow | undefined, key: string): string {
  const named = row?.label ?? row?.displayName ?? row?.subject;
  if (named) return named;
  if (row?.isMain) return "Main";
  if (row?.derivedTitle) return row.derivedTitle;
  const rest = key.split(":").slice(2);
  if (key === "main" || rest.length === 1 && rest[0] === "main") return "Main";
  return rest[0]?.startsWith("web-") || rest.length === 0 ? "New conversation" : rest.join(" · ");
}

/** `provider/model` that was chosen for a conversation, or `undefined` where its default answers. */
export function chosenModel(row: SessionRow | undefined): string | undefined {
  if (row?.modelOverrideSource !== "user" || !row.model) return undefined;
  return row.modelProvider ? `${row.modelProvider}/${row.model}` : row.model;
}

/** Under which heading of the list a conversation stands, by when it was last used. */
export function ageGroup(updatedAt: number | null, now: number): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const day = 24 * 60 * 60 * 1000;
  if (updatedAt === null) return "Earlier";
  if (updatedAt >= midnight) return "Today";
  if (updatedAt >= midnight - day) return "Yesterday";
  if (updatedAt >= midnight - 7 * day) return "This week";
  return "Earlier";
}
