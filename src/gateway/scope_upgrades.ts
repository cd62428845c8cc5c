/** Devices that ask for more while they are connected, and wait for the answer. */
import { type DeviceToken, PAIRING_TTL_MS } from "../device.ts";
import { invalid } from "../error.ts";
import type { Bus } from "../event.ts";
import type { Pairing } from "./pairing.ts";

/** What became of a wish. */
export type UpgradeOutcome =
  | { readonly status: "approved"; readonly token: DeviceToken }
  | { readonly status: "rejected" | "expired" };

type Decision = UpgradeOutcome["status"];

interface Wish extends PromiseWithResolvers<Decision> {
  readonly deviceId: string;
  /** Later than that nobody decides it, nor is it asked for. */
  readonly until: number;
}

/** The wishes of connected devices, remembered for as long as a pairing request lives. */
export class ScopeUpgrades {
  readonly #pairing: Pairing;
  readonly #now: () => number;
  readonly #wishes = new Map<string, Wish>();

  constructor(pairing: Pairing, { bus, now = Date.now }: { bus: Bus; now?: () => number }) {
    this.#pairing = pairing;
    this.#now = now;
    bus.subscribe((event) => {
      if (event.name !== "device.pair.resolved") return;
      this.#wishes.get(event.payload.requestId)?.resolve(event.payload.decision);
    });
  }

  /** Asks in the name of a device. Returns the id of the request. */
  ask(deviceId: string, scopes: readonly string[]): string {
    const now = this.#now();
    for (const [id, { until }] of this.#wishes) if (until < now) this.#wishes.delete(id);
    const { requestId } = this.#pairing.requestScopes(deviceId, scopes);
    const wish = this.#wishes.get(requestId) ?? Promise.withResolvers<Decision>();
    this.#wishes.set(requestId, { ...wish, deviceId, until: now + PAIRING_TTL_MS });
    return requestId;
  }

  /** Resolves when a wish of the device is decided or void, at the latest when the signal aborts. */
  async outcome(
    requestId: string,
    { deviceId, signal }: { deviceId: string | undefined; signal: AbortSignal },
  ): Promise<UpgradeOutcome> {
    const wish = this.#wishes.get(requestId);
    if (wish === undefined || wish.deviceId !== deviceId) {
      throw invalid("scope upgrade expired or not found");
    }
    const late = Promise.withResolvers<Decision>();
    const expire = () => late.resolve("expired");
    const timer = setTimeout(expire, Math.max(0, wish.until - this.#now()));
    signal.addEventListener("abort", expire, { once: true });
    if (signal.aborted) expire();
    const status = await Promise.race([wish.promise, late.promise]);
    clearTimeout(timer);
    signal.removeEventListener("abort", expire);
    if (status !== "approved") return { status };
    const token = this.#pairing.get(deviceId)?.tokens.operator;
    const isGone = token === undefined || token.revokedAtMs !== undefined;
    return isGone ? { status: "rejected" } : { status, token };
  }
}
