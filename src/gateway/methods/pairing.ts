/** Strangers who wrote to us, over the wire. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/pairing.ts";
import type { ChannelsPairingApproved } from "../../../schemas/pairing.ts";
import { type Account, canonicalAccountId } from "../../account.ts";
import type { Call } from "../../caller.ts";
import { type ConfigFile, parseConfig } from "../../config.ts";
import type { SenderRequest } from "../../store.ts";
import { requireScope } from "../access.ts";
import { CODE_TTL_MS, type DmPairing, MAX_PENDING } from "../dm_pairing.ts";

export interface DmPairingParts {
  readonly pairing: DmPairing;
  readonly config: ConfigFile;
  /** The accounts of all networks, with the labels of those. */
  accounts(): readonly { readonly label: string; readonly account: Account }[];
}

export function dmPairingHandlers(
  { pairing, config, accounts }: DmPairingParts,
): HandlersFor<typeof contract, Call> {
  function shown(account: Pick<Account, "channel" | "accountId">) {
    const { channel, accountId } = account;
    const known = accounts().find(({ account }) =>
      account.channel === channel && account.accountId === accountId
    );
    const name = known?.account.name;
    return {
      channel,
      channelLabel: known?.label ?? channel,
      accountId,
      ...(name === undefined || name === "" ? {} : { accountLabel: name }),
      notifySupported: known !== undefined,
    };
  }

  function wire(request: SenderRequest) {
    const { code, senderId, senderLabel, metadata, createdAt, lastSeenAt } = request;
    return {
      requestId: code,
      ...shown(request),
      senderId,
      senderLabel,
      metadata,
      createdAt: new Date(createdAt).toISOString(),
      lastSeenAt: new Date(lastSeenAt).toISOString(),
      expiresAt: new Date(createdAt + CODE_TTL_MS).toISOString(),
    };
  }

  /** Names the owner of commands, unless there is one. */
  async function makeOwner(
    { channel, senderId }: SenderRequest,
  ): Promise<ChannelsPairingApproved["commandOwnerBootstrap"]> {
    let outcome: ChannelsPairingApproved["commandOwnerBootstrap"] = "configured";
    await config.rewrite((text = "") => {
      const { value, issues } = parseConfig(text);
      const isUsable = issues.length === 0 && typeof value === "object" && value !== null;
      outcome = hasOwner(config) ? "already-configured" : isUsable ? "configured" : "unavailable";
      if (outcome !== "configured") return undefined;
      const owner = { ownerAllowFrom: [`${channel}:${senderId}`] };
      const commands = { ...config.config.commands, ...owner };
      return `${JSON.stringify({ ...Object(value), commands }, null, 2)}\n`;
    });
    return outcome;
  }

  return {
    "channels.pairing.list": ({ channel, accountId }) => {
      const isWanted = (account: Pick<Account, "channel" | "accountId">) =>
        (channel === undefined || account.channel === channel) &&
        (accountId === undefined || account.accountId === canonicalAccountId(accountId));
      const asking = accounts().filter(({ account }) =>
        account.enabled && account.policy.dmPolicy === "pairing" && isWanted(account)
      );
      return {
        accounts: asking.map(({ account }) => shown(account)),
        requests: pairing.pending().filter(isWanted).map(wire),
        commandOwnerConfigured: hasOwner(config),
        limits: { pendingPerAccount: MAX_PENDING, ttlMs: CODE_TTL_MS },
      };
    },

    "channels.pairing.approve": async (params, { caller }) => {
      const { channel, requestId, notify = false, bootstrapCommandOwner = false } = params;
      if (bootstrapCommandOwner) requireScope(caller, "operator.admin");
      const accountId = canonicalAccountId(params.accountId);
      const canNotify = notify && shown({ channel, accountId }).notifySupported;
      const request = pairing.approve(requestId, { channel, accountId, notify: canNotify });
      return {
        requestId: request.code,
        senderId: request.senderId,
        notification: !notify ? "not-requested" : canNotify ? "sent" : "unsupported",
        commandOwnerBootstrap: bootstrapCommandOwner ? await makeOwner(request) : "not-requested",
      };
    },

    "channels.pairing.dismiss": ({ channel, accountId, requestId }) => {
      const account = { channel, accountId: canonicalAccountId(accountId) };
      const { code, senderId } = pairing.dismiss(requestId, account);
      return { requestId: code, senderId };
    },
  };
}

function hasOwner({ config }: ConfigFile): boolean {
  return (config.commands?.ownerAllowFrom ?? []).length > 0;
}
