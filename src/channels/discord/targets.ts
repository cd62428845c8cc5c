/** Finds the place that a person's words name. */
import type {
  APIChannel,
  APIGuild,
  APIGuildMember,
  APIPartialChannel,
} from "discord-api-types/v10";
import type { Place } from "../../message.ts";
import type { Client } from "./client.ts";
import { placeOf } from "./convert.ts";
import type { Directory } from "./directory.ts";
import { isId } from "./snowflake.ts";

/** Guilds that are asked for a name. */
const MAX_GUILDS = 20;
const ACCEPTED = "use user:<id>, channel:<id>, #channel, @username or an id";

interface Parts {
  readonly accountId: string;
  readonly client: Client;
  readonly directory: Directory;
}

/** Rejects with an error that says what would be accepted, or an `ApiError`. */
export async function resolveTarget(
  target: string,
  parts: Parts,
  signal: AbortSignal,
): Promise<Place> {
  const words = target.trim().replace(/^discord:/i, "");
  const user = /^(?:user:|dm:|<@!?)(\d+)>?$/i.exec(words)?.[1];
  if (user !== undefined && isId(user)) return await directWith(user, parts, signal);
  const channel = /^(?:channel:|thread:|<#)?(\d+)>?$/i.exec(words)?.[1];
  if (channel !== undefined && isId(channel)) {
    const place = await channelPlace(channel, parts, signal);
    if (place !== undefined) return place;
    const isBare = channel === words;
    if (isBare) return await directWith(channel, parts, signal);
    throw new Error(`Cannot find channel '${channel}' on Discord: it is not there for this bot`);
  }
  const room = /^(?:#|channel:#?)(.+)$/i.exec(words)?.[1];
  if (room !== undefined) return await roomNamed(room.trim(), parts, signal);
  const name = /^(?:@|user:@?)(.+)$/i.exec(words)?.[1];
  if (name !== undefined) return await memberNamed(name.trim(), parts, signal);
  throw new Error(`Cannot find '${target}' on Discord: ${ACCEPTED}`);
}

async function channelPlace(
  id: string,
  { accountId, directory }: Parts,
  signal: AbortSignal,
): Promise<Place | undefined> {
  const known = await directory.find(id, signal);
  if (known?.parentId !== undefined) await directory.find(known.parentId, signal);
  const channel = (other: string) => directory.channel(other);
  return known && placeOf({ channel_id: id }, { accountId, channel });
}

async function directWith(
  userId: string,
  { accountId, client }: Parts,
  signal: AbortSignal,
): Promise<Place> {
  const body = { recipient_id: userId };
  const { id } = await client.call<APIChannel>("POST", "/users/@me/channels", { body, signal });
  return { channel: "discord", accountId, kind: "direct", chatId: id };
}

async function roomNamed(name: string, parts: Parts, signal: AbortSignal): Promise<Place> {
  const wanted = name.toLowerCase();
  const known = parts.directory.named(wanted).map(({ id }) => id);
  const found = known.length > 0
    ? known
    : (await inGuilds<APIPartialChannel[]>((guild) => `/guilds/${guild}/channels`, parts, signal))
      .flat().filter((channel) => channel.name?.toLowerCase() === wanted).map(({ id }) => id);
  const place = found[0] === undefined ? undefined : await channelPlace(found[0], parts, signal);
  if (place === undefined) throw new Error(`Cannot find '#${name}' on Discord: ${ACCEPTED}`);
  if (found.length === 1) return place;
  throw new Error(
    `Cannot tell which '#${name}' is meant: use one of ${
      found.slice(0, 5).map((id) => `channel:${id}`).join(", ")
    }`,
  );
}

async function memberNamed(name: string, parts: Parts, signal: AbortSignal): Promise<Place> {
  const query = `members/search?limit=100&query=${encodeURIComponent(name)}`;
  const members = await inGuilds<APIGuildMember[]>(
    (guild) => `/guilds/${guild}/${query}`,
    parts,
    signal,
  );
  const wanted = name.toLowerCase();
  const ids = new Set(
    members.flat().filter(({ user }) => user.username.toLowerCase() === wanted)
      .map(({ user }) => user.id),
  );
  const [id] = ids;
  if (id === undefined || ids.size > 1) {
    throw new Error(`Cannot find '@${name}' in the bot's servers: ${ACCEPTED}`);
  }
  return await directWith(id, parts, signal);
}

async function inGuilds<T>(
  path: (guildId: string) => string,
  { client }: Parts,
  signal: AbortSignal,
): Promise<T[]> {
  const guilds = await client.call<Pick<APIGuild, "id">[]>("GET", "/users/@me/guilds", { signal });
  const answers: T[] = [];
  for (const { id } of guilds.slice(0, MAX_GUILDS)) {
    answers.push(await client.call<T>("GET", path(id), { signal }));
  }
  return answers;
}
