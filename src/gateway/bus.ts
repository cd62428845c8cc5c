/** Delivers events to whoever in this process listens. */
import type { Bus, GatewayEvent } from "../event.ts";
import type { Log } from "../log.ts";

/** A bus on which a listener that throws is logged and does not keep others from hearing. */
export function createBus(log: Log): Bus {
  const listeners = new Set<(event: GatewayEvent) => void>();
  return {
    publish(event) {
      for (const hear of listeners) {
        try {
          hear(event);
        } catch (cause) {
          log.error(`A listener failed on event '${event.name}'`, { cause });
        }
      }
    },
    subscribe(hear) {
      listeners.add(hear);
      return { [Symbol.dispose]: () => void listeners.delete(hear) };
    },
  };
}
