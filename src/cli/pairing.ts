/** `openclaw pairing` */
import type { ChannelPairingRequest } from "../../schemas/pairing.ts";
import type { ResultOf } from "../../schemas/mod.ts";
import type { GatewayClient, RequestOptions } from "../client/client.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { oneLine, table } from "./text.ts";
import { relative } from "./time.ts";

const PAIRING = { scopes: ["operator.pairing"] } as const;
/** To approve also means to name an owner, where there is none. */
const OWNING = { scopes: ["operator.pairing", "operator.admin"] } as const;
const ACCOUNT = { kind: "text", value: "id", about: "Only through this account" } as const;
const WORDS = [{ name: "network or code" }, { name: "code", optional: true }] as const;

const list = command({
  about: "List the people who wrote to the agent and wait for leave",
  words: [{ name: "network", optional: true }],
  flags: { account: ACCOUNT },
  connects: true,
  examples: [
    ["openclaw pairing list", "who waits?"],
    ["openclaw pairing list telegram", "on one network"],
  ],
  async run(call) {
    const [channel] = call.words;
    const { account } = call.flags;
    const result = await withGateway(
      call,
      PAIRING,
      (gateway, options) => requests(gateway, { channel, account }, options),
    );
    return answer(call, result, (result) => show(result, call));
  },
});

const approve = command({
  about: "Let somebody write to the agent directly, by the code that they were told",
  details: "Opens no group. The first who is let in may also use commands everywhere,\n" +
    "as long as nobody is named in commands.ownerAllowFrom.",
  words: WORDS,
  flags: {
    account: ACCOUNT,
    notify: { kind: "switch", about: "Tell them that they were let in" },
  },
  connects: true,
  examples: [
    ["openclaw pairing approve ABCD2345", "the code that they sent you"],
    ["openclaw pairing approve telegram ABCD2345 --notify", "and tell them"],
  ],
  async run(call) {
    const { notify } = call.flags;
    const result = await withGateway(call, OWNING, async (gateway, options) => {
      const { request, hasOwner } = await named(gateway, call, options);
      const { channel, accountId, requestId } = request;
      const params = { channel, accountId, requestId, notify, bootstrapCommandOwner: !hasOwner };
      const approved = await gateway.request("channels.pairing.approve", params, options);
      return { ...approved, channel, senderLabel: request.senderLabel };
    });
    return answer(call, result, (result) => {
      const { channel, senderId, senderLabel, commandOwnerBootstrap, notification } = result;
      const who = `${oneLine(senderLabel)} (${oneLine(senderId)})`;
      const owner = commandOwnerBootstrap === "configured" ? ", and use commands everywhere" : "";
      const untold = notify && notification !== "sent" ? "; they could not be told" : "";
      return `${who} may write to the agent on ${oneLine(channel)}${owner}${untold}\n`;
    });
  },
});

const dismiss = command({
  about: "Turn somebody down; they get a new code if they write again",
  words: WORDS,
  flags: { account: ACCOUNT },
  connects: true,
  examples: [["openclaw pairing dismiss ABCD2345", "by the code that they were told"]],
  async run(call) {
    const result = await withGateway(call, PAIRING, async (gateway, options) => {
      const { channel, accountId, requestId } = (await named(gateway, call, options)).request;
      const params = { channel, accountId, requestId };
      return await gateway.request("channels.pairing.dismiss", params, options);
    });
    return answer(call, result, ({ senderId }) => `${oneLine(senderId)} is turned down\n`);
  },
});

export default {
  about: "Say who may write to the agent on the messaging networks",
  usual: "list",
  commands: { list, approve, dismiss },
} satisfies Group;

type Pending = ResultOf<"channels.pairing.list">;

function requests(
  gateway: GatewayClient,
  { channel, account }: { channel: string | undefined; account: string | undefined },
  options: RequestOptions,
): Promise<Pending> {
  return gateway.request("channels.pairing.list", {
    ...(channel === undefined ? {} : { channel }),
    ...(account === undefined ? {} : { accountId: account }),
  }, options);
}

/** The request that the words mean. */
async function named(
  gateway: GatewayClient,
  { words, flags: { account } }: Pick<Call<{ account: typeof ACCOUNT }>, "words" | "flags">,
  options: RequestOptions,
): Promise<{ request: ChannelPairingRequest; hasOwner: boolean }> {
  const [first = "", second] = words;
  const channel = second === undefined ? undefined : first;
  const code = (second ?? first).toUpperCase();
  const pending = await requests(gateway, { channel, account }, options);
  const request = pending.requests.find(({ requestId }) => requestId === code);
  if (request !== undefined) return { request, hasOwner: pending.commandOwnerConfigured };
  throw new Failure("NOT_FOUND", `Nobody waits with the code '${code}'`, {
    hint: "codes are good for an hour; see `openclaw pairing list`",
  });
}

function show({ requests }: Pending, { io, paint }: Pick<Call, "io" | "paint">): string {
  if (requests.length === 0) return "Nobody waits\n";
  const rows = requests.map(
    ({ requestId, channelLabel, accountId, senderLabel, senderId, createdAt }) => [
      oneLine(requestId),
      oneLine(channelLabel),
      oneLine(accountId),
      oneLine(senderLabel),
      oneLine(senderId),
      relative(Date.parse(createdAt), io.now()),
    ],
  );
  return table(["CODE", "NETWORK", "ACCOUNT", "NAME", "ID", "ASKED"], rows, paint.dim);
}
