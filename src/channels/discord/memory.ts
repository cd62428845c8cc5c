/** What a Discord account must remember across restarts, and how much of it. */
import type { Static, TSchema } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import * as Type from "../../../schemas/type.ts";
import type { KeyValues } from "../../store.ts";
import type { GatewaySession } from "./gateway.ts";
import { Recent } from "../recent.ts";
import { byAge } from "./snowflake.ts";

const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);

/** Who we are, as Discord said last. */
const Self = Type.Object({
  id: Type.String(),
  name: optional(Type.String()),
  username: optional(Type.String()),
  applicationId: Type.String(),
});
export type KnownSelf = Static<typeof Self>;

/** What was missed since a session was lost, in guilds that have not been looked through yet. */
const Gap = Type.Object({
  after: Type.String(),
  guilds: Type.Array(Type.String()),
  /** How far channels were read already, by their ids. */
  read: optional(Type.Record(Type.String(), Type.String())),
});
export type Gap = Static<typeof Gap>;

const Connection = Type.Object({
  session: optional(Type.Object({
    id: Type.String(),
    url: Type.String(),
    sequence: Type.Integer(),
  })),
  self: optional(Self),
  /** When a session was begun last. Epoch milliseconds. */
  identifiedAt: optional(Type.Number()),
  /** What was said before this message was not said to us: we were never there before. */
  beginning: optional(Type.String()),
  /** The youngest message that was dealt with. */
  seen: optional(Type.String()),
  gap: optional(Gap),
  /** Since this message something may have been missed in direct chats that we don't know of. */
  missedSince: optional(Type.String()),
  /** The commands that Discord shows, as one word. */
  commands: optional(Type.String()),
});
type Connection = Static<typeof Connection>;

/** Pairs, the freshest last. */
const Pairs = Type.Array(Type.Tuple([Type.String(), Type.String()]));

/** A message of ours that answers one. */
const Answer = Type.Object({
  id: Type.String(),
  /** What Discord calls it, once it is there. */
  messageId: optional(Type.String()),
});
export type Answer = Static<typeof Answer>;

/** A slash command or a button that waits for its answer. */
const Interaction = Type.Object({
  id: Type.String(),
  token: Type.String(),
  at: Type.Number(),
  /** The first is in the place that waits for it. */
  answers: optional(Type.Array(Answer)),
});
export type Interaction = Static<typeof Interaction>;
const Interactions = Type.Array(Interaction);

/** A post that was perhaps begun in a forum. */
const Posts = Type.Array(Type.Object({ id: Type.String(), at: Type.Number() }));

const MAX_DIRECTS = 200;
const MAX_ECHOES = 100;
const MAX_INTERACTIONS = 100;
const MAX_POSTS = 50;
/** Discord forgets an interaction by then. */
const INTERACTION_MS = 14 * 60_000;

/** Keeps it in the values that outlive the process; `flush` writes what has changed. */
export class Memory {
  readonly #values: KeyValues;
  readonly #changed = new Set<() => void>();
  #connection: Connection;
  /** Direct chats, with the youngest message in each. */
  readonly #directs: Recent<string, string>;
  /** Messages of ours that Discord has told us of: nonces, with Discord's ids. */
  readonly #echoes: Recent<string, string>;
  /** Interactions that Discord is being told of. */
  readonly #announced = new Map<string, Promise<void>>();

  constructor(values: KeyValues) {
    this.#values = values;
    this.#connection = read(values, "connection", Connection) ?? {};
    this.#directs = new Recent(MAX_DIRECTS, read(values, "directs", Pairs));
    this.#echoes = new Recent(MAX_ECHOES, read(values, "echoes", Pairs));
  }

  get session(): GatewaySession | undefined {
    return this.#connection.session;
  }

  set session(session: GatewaySession | undefined) {
    this.#set({ session });
  }

  get self(): KnownSelf | undefined {
    return this.#connection.self;
  }

  set self(self: KnownSelf) {
    this.#set({ self });
  }

  get identifiedAt(): number {
    return this.#connection.identifiedAt ?? 0;
  }

  set identifiedAt(identifiedAt: number) {
    this.#set({ identifiedAt });
  }

  get gap(): Gap | undefined {
    return this.#connection.gap;
  }

  set gap(gap: Gap | undefined) {
    this.#set({ gap });
  }

  /** Since this message something may have been missed in direct chats that we don't know of. */
  get missedSince(): string | undefined {
    return this.#connection.missedSince;
  }

  set missedSince(messageId: string) {
    this.#set({ missedSince: messageId });
  }

  get commands(): string | undefined {
    return this.#connection.commands;
  }

  set commands(commands: string) {
    this.#set({ commands });
  }

  /** What was said before this message was not said to us: we were never there before. */
  get beginning(): string | undefined {
    return this.#connection.beginning;
  }

  /** The youngest message that was dealt with. */
  get seen(): string | undefined {
    return this.#connection.seen;
  }

  /** We are there, or try to be: if for the first time, we are told what comes after this message. */
  begin(messageId: string): void {
    if (this.seen === undefined) this.#set({ beginning: messageId, seen: messageId });
  }

  /** We were not told what came before this message, either. */
  beginLater(messageId: string): void {
    const { beginning } = this;
    if (beginning === undefined || byAge(beginning, messageId) >= 0) return;
    this.#set({ beginning: messageId, seen: messageId });
  }

  /** A message was dealt with; with `isDirect`, in a chat that no guild tells us of. */
  see(messageId: string, { channelId, isDirect }: { channelId: string; isDirect: boolean }): void {
    const { seen } = this.#connection;
    if (seen === undefined || byAge(seen, messageId) < 0) this.#set({ seen: messageId });
    if (!isDirect) return;
    const last = this.#directs.get(channelId);
    const isOld = last !== undefined && byAge(last, messageId) > 0;
    this.#directs.set(channelId, isOld ? last : messageId);
    this.#changed.add(this.#writeDirects);
  }

  /** Direct chats that we know of, the freshest first. */
  get directs(): readonly string[] {
    return [...this.#directs.keys()].reverse();
  }

  knowsDirect(channelId: string): boolean {
    return this.#directs.has(channelId);
  }

  /** Discord told us of a message of ours. */
  hearEcho(nonce: string, messageId: string): void {
    this.#echoes.set(nonce, messageId);
    this.#changed.add(this.#writeEchoes);
  }

  echoOf(nonce: string): string | undefined {
    return this.#echoes.get(nonce);
  }

  /** Whether Discord told us of this message of ours. */
  hasEcho(messageId: string): boolean {
    return [...this.#echoes.values()].includes(messageId);
  }

  /** Those that can still be answered. */
  get interactions(): readonly Interaction[] {
    const all = read(this.#values, "interactions", Interactions) ?? [];
    return all.filter(({ at }) => Date.now() - at < INTERACTION_MS);
  }

  /** Written at once: it must not be answered in two ways. */
  saveInteraction(interaction: Interaction): void {
    const others = this.interactions.filter(({ id }) => id !== interaction.id);
    this.#values.set("interactions", [...others, interaction].slice(-MAX_INTERACTIONS));
  }

  /** Discord is being told that an interaction will have an answer; before that it takes none. */
  announce(interactionId: string, told: Promise<void>): void {
    const done = told.catch(() => {}).finally(() => this.#announced.delete(interactionId));
    this.#announced.set(interactionId, done);
  }

  /** Resolves when Discord was told of an interaction, or will not be. */
  async announced(interactionId: string): Promise<void> {
    await this.#announced.get(interactionId);
  }

  forgetInteraction(interactionId: string): void {
    this.#values.set("interactions", this.interactions.filter(({ id }) => id !== interactionId));
  }

  /** When a forum post was first begun; `undefined` where it never was. */
  postBegunAt(messageId: string): number | undefined {
    return this.#posts().find(({ id }) => id === messageId)?.at;
  }

  /** Written at once, before anything is sent. */
  beginPost(messageId: string, at: number): void {
    this.#values.set("posts", [...this.#posts(), { id: messageId, at }].slice(-MAX_POSTS));
  }

  /** It surely was, or surely was not sent. */
  endPost(messageId: string): void {
    this.#values.set("posts", this.#posts().filter(({ id }) => id !== messageId));
  }

  flush(): void {
    for (const write of this.#changed) write();
    this.#changed.clear();
  }

  #posts(): Static<typeof Posts> {
    return read(this.#values, "posts", Posts) ?? [];
  }

  #set(change: Partial<Connection>): void {
    this.#connection = { ...this.#connection, ...change };
    this.#changed.add(this.#writeConnection);
  }

  readonly #writeConnection = () => this.#values.set("connection", this.#connection);
  readonly #writeDirects = () => this.#values.set("directs", [...this.#directs]);
  readonly #writeEchoes = () => this.#values.set("echoes", [...this.#echoes]);
}

/** `undefined` for what is not there, or was not written by us. */
function read<T extends TSchema>(
  values: KeyValues,
  name: string,
  schema: T,
): Static<T> | undefined {
  const value = values.get(name);
  return Check(schema, value) ? value : undefined;
}
