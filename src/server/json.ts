/** JSON of what goes out. */

const texts = new WeakMap<object, string>();

/**
 * The JSON of a payload; `null` for none. A frozen payload will not change, so its text is kept as
 * long as the payload is: answers that many clients ask for are put into JSON once.
 */
export function toJson(payload: unknown): string {
  if (typeof payload !== "object" || payload === null || !Object.isFrozen(payload)) {
    return JSON.stringify(payload) ?? "null";
  }
  let text = texts.get(payload);
  if (text === undefined) texts.set(payload, text = JSON.stringify(payload));
  return text;
}
