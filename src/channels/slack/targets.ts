/** Finds the place that a person's words name. */
import type { WebClient } from "@slack/web-api";
import type { Place } from "../../message.ts";
import { CallError, type Client } from "./client.ts";
import { placeOf, type SlackSelf } from "./convert.ts";
import type { Directory } from "./directory.ts";

const PAGE = 200;
const MAX_PAGES = 25;
const ACCEPTED = "use user:<id>, channel:<id>, #channel, @username or an id";

interface Parts {
  readonly accountId: string;
  readonly client: Client;
  readonly directory: Directory;
  readonly self: SlackSelf;
}

/** Rejects with an error that says what would be accepted, or a `CallError`. */
export async function resolveTarget(
  target: string,
  parts: Parts,
  signal: AbortSignal,
): Promise<Place> {
  const words = target.trim().replace(/^slack:/i, "");
  const user = /^(?:user:|dm:|<?@)?([UW][A-Z0-9]{2,})(?:\|[^>]*)?>?$/.exec(words)?.[1];
  if (user !== undefined) return await directWith(user, parts, signal);
  const channel = /^(?:channel:|group:|<?#)?([CDG][A-Z0-9]{2,})(?:\|[^>]*)?>?$/.exec(words)?.[1];
  if (channel !== undefined) return await channelPlace(channel, parts, signal);
  const room = /^(?:channel:#?|#)(.+)$/i.exec(words)?.[1]?.trim().toLowerCase();
  if (room !== undefined) {
    const id = await channelNamed(room, parts, signal);
    if (id === undefined) throw new Error(`Cannot find '#${room}' in Slack: ${ACCEPTED}`);
    return await channelPlace(id, parts, signal);
  }
  const name = /^(?:user:@?|@)(.+)$/i.exec(words)?.[1]?.trim().toLowerCase();
  if (name === undefined) throw new Error(`Cannot find '${target}' in Slack: ${ACCEPTED}`);
  const id = await userNamed(name, parts, signal);
  if (id === undefined) throw new Error(`Cannot find '@${name}' in Slack: ${ACCEPTED}`);
  return await directWith(id, parts, signal);
}

async function directWith(users: string, parts: Parts, signal: AbortSignal): Promise<Place> {
  const { channel } = await orNotFound(
    `user '${users}'`,
    parts.client.ask((api) => api.conversations.open({ users }), signal),
  );
  if (channel?.id === undefined) throw new CallError("lost", "Slack's answer names no chat");
  return place(channel.id, "im", parts);
}

async function channelPlace(id: string, parts: Parts, signal: AbortSignal): Promise<Place> {
  const { channel } = await orNotFound(
    `channel '${id}'`,
    parts.client.ask((api) => api.conversations.info({ channel: id }), signal),
  );
  if (channel !== undefined) parts.directory.learnChannel({ ...channel, id });
  return place(id, undefined, parts);
}

function place(channel: string, type: string | undefined, parts: Parts): Place {
  const { accountId, directory, self: { teamId } } = parts;
  return placeOf({ channel, type, spaceId: teamId }, {
    accountId,
    channel: (id) => directory.channel(id),
  });
}

async function channelNamed(
  name: string,
  { client }: Parts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const types = "public_channel,private_channel";
  return await search(async (cursor) => {
    const { channels = [], response_metadata } = await client.ask(
      (api) =>
        api.conversations.list({
          types,
          exclude_archived: true,
          limit: PAGE,
          ...(cursor === "" ? {} : { cursor }),
        }),
      signal,
    );
    const found = channels.find((channel) => channel.name?.toLowerCase() === name)?.id;
    return { found, cursor: response_metadata?.next_cursor };
  });
}

async function userNamed(
  name: string,
  { client }: Parts,
  signal: AbortSignal,
): Promise<string | undefined> {
  return await search(async (cursor) => {
    const { members = [], response_metadata } = await client.ask(
      (api) => api.users.list({ limit: PAGE, ...(cursor === "" ? {} : { cursor }) }),
      signal,
    );
    const found = members.find(isNamed(name))?.id;
    return { found, cursor: response_metadata?.next_cursor };
  });
}

type Member = NonNullable<Awaited<ReturnType<WebClient["users"]["list"]>>["members"]>[number];

/** Only the handle is unique; anybody can take any other name. */
function isNamed(name: string): (member: Member) => boolean {
  return (member) => member.deleted !== true && member.name?.toLowerCase() === name;
}

async function search(
  page: (cursor: string) => Promise<{ found: string | undefined; cursor: string | undefined }>,
): Promise<string | undefined> {
  let cursor = "";
  for (let i = 0; i < MAX_PAGES; i++) {
    const { found, cursor: next = "" } = await page(cursor);
    if (found !== undefined || next === "") return found;
    cursor = next;
  }
  return undefined;
}

async function orNotFound<T>(what: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof CallError) || error.fault !== "refused") throw error;
    throw new Error(`Cannot find ${what} in Slack (${error.message}): ${ACCEPTED}`);
  }
}
