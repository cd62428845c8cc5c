/** The page's parts, joined: what comes from the gateway goes to them, what a person wants to it. */
import type { CommandEntry } from "../../schemas/chat.ts";
import type { HelloOk } from "../../schemas/connect.ts";
import type { EventFrame } from "../../schemas/frames.ts";
import type { ModelChoice } from "../../schemas/models.ts";
import { Cell, type Pace } from "./cell.ts";
import { type Attachment, Chats } from "./chats.ts";
import { Devices } from "./devices.ts";
import type { Keep } from "./keep.ts";
import { Link, type LinkOptions } from "./link.ts";
import { Sessions } from "./sessions.ts";
import { UnsentMessages } from "./unsent.ts";

/** Where on the page one is. */
export type Place =
  /** Without a key: the main conversation. */
  | { readonly at: "chat"; readonly key: string | undefined }
  | { readonly at: "devices" };

/** Something to tell the person that has no place of its own. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

/** Something that a person has to decide before it is done. */
export interface Question {
  readonly title: string;
  readonly text?: string;
  /** What the button says that does it. */
  readonly action: string;
  readonly isGrave?: boolean;
  /** Asks for a text; without it the answer is the empty one. */
  readonly field?: { readonly label: string; readonly value: string; readonly maxLength: number };
}

export interface OpenQuestion extends Question {
  readonly answer: (text: string | undefined) => void;
}

/** What the gateway offers to choose from. */
export interface Catalog {
  readonly models: readonly ModelChoice[];
  readonly commands: readonly CommandEntry[];
}

/** A message that is being written. */
export interface Draft {
  readonly text: string;
  readonly files: readonly Attachment[];
  /** Files that are still being read: it is not whole without them. */
  readonly reading: number;
}

/** How the page lays hold of the browser. */
export interface Surroundings {
  /** The place in the address bar. */
  readonly place: Place;
  /** Puts a place into the address bar. */
  readonly goTo: (place: Place) => void;
  readonly pace: Pace;
  readonly keep: Keep;
}

export class App {
  readonly link: Link;
  readonly sessions: Sessions;
  readonly chats: Chats;
  readonly devices: Devices;
  readonly catalog: Cell<Catalog> = new Cell<Catalog>({ models: [], commands: [] });
  readonly notices: Cell<readonly Notice[]> = new Cell<readonly Notice[]>([]);
  /** A question that waits for its answer. */
  readonly question: Cell<OpenQuestion | undefined> = new Cell<OpenQuestion | undefined>(undefined);
  /** The last answer that is complete, for screen readers. */
  readonly spoken: Cell<string> = new Cell("");
  readonly place: Cell<Place>;
  /** What the gateway said at the last hello; kept while the connection is down. */
  readonly hello: Cell<HelloOk | undefined> = new Cell<HelloOk | undefined>(undefined);
  readonly #drafts = new Map<string, Cell<Draft>>();
  readonly #surroundings: Surroundings;
  #notices = 0;

  constructor(
    link: Pick<LinkOptions, "url" | "client" | "identity" | "credentials">,
    surroundings: Surroundings,
  ) {
    this.#surroundings = surroundings;
    this.place = new Cell(surroundings.place);
    this.link = new Link({
      ...link,
      onHello: (hello) => this.#begin(hello),
      onEvent: (event) => this.#hear(event),
      onGap: () => this.#refresh(),
    });
    this.sessions = new Sessions(this.link);
    this.devices = new Devices(this.link);
    this.chats = new Chats({
      requests: this.link,
      unsent: new UnsentMessages(surroundings.keep),
      pace: surroundings.pace,
      newId: randomId,
      onAnswer: (key, text) => {
        if (key === this.key) this.spoken.set(text.slice(0, MAX_SPOKEN));
      },
      onRenamed: (spelled, key) => this.#moved(spelled, key),
    });
  }

  /** The key of the conversation that is shown, or was before another place. */
  get key(): string {
    const place = this.place.value;
    const main = this.hello.value?.snapshot.sessionDefaults?.mainSessionKey ?? MAIN;
    return place.at === "chat" ? place.key ?? main : this.#last ?? main;
  }
  #last: string | undefined;

  /** What is being written in a conversation; it waits there while one is elsewhere. */
  draft(key: string): Cell<Draft> {
    const known = this.#drafts.get(key);
    if (known !== undefined) return known;
    const draft = new Cell<Draft>({ text: "", files: [], reading: 0 });
    this.#drafts.set(key, draft);
    return draft;
  }

  /** Shows a place, in the page and in the address bar. */
  goTo(place: Place): void {
    this.#surroundings.goTo(place);
    this.arrive(place);
  }

  /** Shows a place that the address bar already has. */
  arrive(place: Place): void {
    this.#last = this.key;
    const key = place.at === "chat" && place.key !== undefined ? this.chats.keyOf(place.key) : "";
    this.place.set(key === "" ? place : { at: "chat", key });
    if (this.hello.value === undefined) return;
    if (place.at === "chat") this.chats.show(this.key);
    else void this.devices.read();
  }

  /** Opens a conversation that doesn't exist yet; the gateway makes it with the first message. */
  begin(): void {
    const agent = this.hello.value?.snapshot.sessionDefaults?.defaultAgentId ?? "main";
    const row = this.sessions.row(this.key);
    const { entries, outgoing } = this.chats.get(this.key).value;
    const isUnused = this.place.value.at === "chat" && row === undefined &&
      entries.length + outgoing.length === 0;
    const key = isUnused ? this.key : `agent:${agent}:web-${randomId().slice(0, 8)}`;
    this.goTo({ at: "chat", key });
  }

  /** Deletes a conversation, and leaves it if that is where one still is. */
  async remove(key: string): Promise<void> {
    await this.sessions.remove(key);
    if (this.place.value.at === "chat" && this.key === key) {
      this.goTo({ at: "chat", key: undefined });
    }
  }

  /** Does what a person asked for, and tells them if it can't be done. */
  async attempt(what: string, action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.say(`${what} failed: ${why}`, { isError: true });
      return false;
    }
  }

  /** Resolves to what the person answers, or to `undefined` if they don't want to. */
  ask(question: Question): Promise<string | undefined> {
    this.question.value?.answer(undefined);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const answer = (text: string | undefined) => {
      this.question.set(undefined);
      resolve(text);
    };
    this.question.set({ ...question, answer });
    return promise;
  }

  say(text: string, { isError = false }: { isError?: boolean } = {}): void {
    const notice = { id: ++this.#notices, text, isError };
    this.notices.change((notices) => [...notices.slice(-3), notice]);
  }

  dismiss(id: number): void {
    this.notices.change((notices) => notices.filter((notice) => notice.id !== id));
  }

  /** Leaves nothing in this browser that is not for whoever signs in next. */
  signOut(): void {
    this.chats.discardUnsent();
    this.link.signOut();
  }

  #begin(hello: HelloOk): void {
    const isFirst = this.hello.value === undefined;
    this.hello.set(hello);
    const main = hello.snapshot.sessionDefaults?.mainSessionKey ?? MAIN;
    if (isFirst && main !== MAIN) this.#moved(MAIN, main);
    this.devices.begin(hello);
    this.#refresh();
    void this.#readCatalog();
  }

  /** What was written where a key was spelled otherwise is found under the gateway's own spelling. */
  #moved(spelled: string, key: string): void {
    this.chats.rename(spelled, key);
    this.#moveDraft(spelled, key);
    if (this.#last === spelled) this.#last = key;
    const place = this.place.value;
    if (place.at !== "chat" || place.key !== spelled) return;
    this.place.set({ at: "chat", key });
    this.chats.show(key);
  }

  /** What is being written goes along, behind what was begun under the other key. */
  #moveDraft(spelled: string, key: string): void {
    const draft = this.#drafts.get(spelled);
    if (draft === undefined) return;
    this.#drafts.delete(spelled);
    const { text, files } = this.#drafts.get(key)?.value ?? { text: "", files: [] };
    this.#drafts.set(key, draft); // files that are still being read come into this one
    draft.change((own) => ({
      ...own,
      text: [text, own.text].filter((part) => part !== "").join("\n"),
      files: [...files, ...own.files],
    }));
  }

  /** Reads anew whatever may have changed unheard. */
  #refresh(): void {
    void this.sessions.read();
    void this.devices.read();
    this.chats.resume(this.place.value.at === "chat" ? this.key : undefined);
  }

  async #readCatalog(): Promise<void> {
    const [models, commands] = await Promise.allSettled([
      this.link.request("models.list", {}),
      this.link.request("commands.list", { scope: "text" }),
    ]);
    this.catalog.set({
      models: models.status === "fulfilled" ? models.value.models : [],
      commands: commands.status === "fulfilled" ? commands.value.commands : [],
    });
  }

  #hear(event: EventFrame): void {
    this.sessions.hear(event);
    this.chats.hear(event);
    this.devices.hear(event);
  }
}

/** The main conversation, as long as nobody said what its key is. */
const MAIN = "main";
/** Characters of an answer that are read out unasked. */
const MAX_SPOKEN = 2_000;

/** A random UUID. The browser's own is missing on pages that came by plain http. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte, i) => {
    const marked = i === 6 ? byte & 0x0f | 0x40 : i === 8 ? byte & 0x3f | 0x80 : byte;
    return marked.toString(16).padStart(2, "0");
  }).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The place that an address names. */
export function placeOf(address: URL): Place {
  if (address.pathname.replace(/\/$/, "") === "/devices") return { at: "devices" };
  return { at: "chat", key: address.searchParams.get("session") || undefined };
}

/** The address of a place, as the browser shows it. */
export function addressOf(place: Place): string {
  if (place.at === "devices") return "/devices";
  return place.key === undefined ? "/" : `/chat?session=${encodeURIComponent(place.key)}`;
}
