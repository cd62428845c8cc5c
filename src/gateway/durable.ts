/** Nothing is told as done before it is on the disk itself. */
import type { Store } from "../store.ts";
import type { Dispatch } from "./dispatch.ts";

/** Holds back each answer, the first of a two-phase one as well, until what it says is kept. */
export function durable(
  dispatch: Dispatch,
  store: Pick<Store, "isSynced" | "synced">,
): Dispatch {
  const kept = (answer: unknown) => store.isSynced ? answer : store.synced().then(() => answer);
  return (name, params, call) => {
    const answer = dispatch(name, params, {
      ...call,
      accept(payload) {
        if (store.isSynced) return call.accept(payload);
        // Where the disk fails, the answer itself is refused.
        store.synced().then(() => call.accept(payload), () => {});
      },
    });
    return answer instanceof Promise ? answer.then(kept) : kept(answer);
  };
}
