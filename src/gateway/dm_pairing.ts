/** Strangers who write to us directly: they get a code, and the owner lets them in by it. */
import { randomInt } from "node:crypto";
import { DEFAULT_ACCOUNT_ID } from "../account.ts";
import { invalid } from "../error.ts";
import type { Log } from "../log.ts";
import type { Place, ReplyTarget, Sender } from "../message.ts";
import type { SenderRequest, Store } from "../store.ts";
import { plainName } from "./telling.ts";

/** How long a code can be approved, in milliseconds. */
export const CODE_TTL_MS = 60 * 60_000;
/** Strangers of one account who can wait at a time; those who come then get no answer. */
export const MAX_PENDING = 3;
/** Without letters and digits that are taken for each other. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CODE_LENGTH = 8;

type AccountRef = Pick<Place, "channel" | "accountId">;

/** Says something of the gateway's own in a chat. */
export interface Notices {
  /** Call it in the transaction that holds the reason. */
  answer(target: ReplyTarget, text: string): void;
}

/** What came of a stranger's message. `full`: too many wait already. */
export type Asked = "asked" | "waiting" | "full";

export class DmPairing {
  readonly #store: Pick<Store, "senders" | "transaction">;
  readonly #notices: Notices;
  readonly #log: Log;
  readonly #now: () => number;

  constructor(
    store: Pick<Store, "senders" | "transaction">,
    { notices, log, now = Date.now }: { notices: Notices; log: Log; now?: () => number },
  ) {
    this.#store = store;
    this.#notices = notices;
    this.#log = log.part("pairing");
    this.#now = now;
  }

  isApproved(account: AccountRef, senderId: string): boolean {
    return this.#store.senders.isApproved(account, senderId);
  }

  /** A stranger wrote: the first time they are told their code, later nothing. */
  ask(sender: Sender, reply: ReplyTarget): Asked {
    return this.#store.transaction(() => {
      const { channel, accountId } = reply.place;
      const now = this.#now();
      const pending = this.pending({ channel, accountId });
      const known = pending.find(({ senderId }) => senderId === sender.id);
      if (known !== undefined) {
        this.#store.senders.savePending({ ...known, lastSeenAt: now });
        return "waiting";
      }
      if (pending.length >= MAX_PENDING) return "full";
      const name = plainName(sender.name ?? "");
      const username = plainName(sender.username ?? "");
      const request: SenderRequest = {
        code: this.#newCode(),
        channel,
        accountId,
        senderId: sender.id,
        senderLabel: name || username || sender.id,
        metadata: {
          ...(name === "" ? {} : { name }),
          ...(username === "" ? {} : { username }),
        },
        reply,
        createdAt: now,
        lastSeenAt: now,
      };
      this.#store.senders.savePending(request);
      this.#notices.answer(reply, invitation(request));
      this.#log.info("Somebody asks to write to us", { channel, accountId, senderId: sender.id });
      return "asked";
    });
  }

  /** Those who wait, oldest first. */
  pending(account: Partial<AccountRef> = {}): readonly SenderRequest[] {
    const since = this.#now() - CODE_TTL_MS;
    const [old, alive]: [SenderRequest[], SenderRequest[]] = [[], []];
    for (const request of this.#store.senders.pending(account)) {
      (request.createdAt <= since ? old : alive).push(request);
    }
    for (const { code } of old) this.#store.senders.removePending(code);
    return alive;
  }

  /** Lets somebody write to us directly, and tells them if `notify`. Throws for an unknown code. */
  approve(
    code: string,
    { channel, accountId, notify = false }: AccountRef & { notify?: boolean },
  ): SenderRequest {
    return this.#store.transaction(() => {
      const request = this.#take(code, { channel, accountId });
      this.#store.senders.approve({ channel, accountId }, request.senderId, this.#now());
      if (notify) this.#notices.answer(request.reply, WELCOME);
      return request;
    });
  }

  /** Forgets a request; the sender gets a new code if they write again. Throws for an unknown code. */
  dismiss(code: string, account: AccountRef): SenderRequest {
    return this.#store.transaction(() => this.#take(code, account));
  }

  #take(written: string, account: AccountRef): SenderRequest {
    const code = written.trim().toUpperCase();
    const request = this.pending(account).find((pending) => pending.code === code);
    if (request === undefined) {
      throw invalid(`unknown pairing request: no code ${code} waits on ${account.channel}`);
    }
    this.#store.senders.removePending(code);
    return request;
  }

  #newCode(): string {
    const taken = new Set(this.#store.senders.pending().map(({ code }) => code));
    for (;;) {
      let code = "";
      while (code.length < CODE_LENGTH) code += ALPHABET[randomInt(ALPHABET.length)];
      if (!taken.has(code)) return code;
    }
  }
}

const WELCOME = "You are let in: write to me.";

function invitation({ channel, accountId, senderId, code }: SenderRequest): string {
  const account = accountId === DEFAULT_ACCOUNT_ID ? "" : ` --account ${accountId}`;
  return [
    `I don't know you yet: your id here is ${senderId}.`,
    "",
    "To let you write to me, my owner runs this within the hour:",
    "",
    "```",
    `openclaw pairing approve ${channel} ${code}${account}`,
    "```",
  ].join("\n");
}
