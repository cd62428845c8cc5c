/** Writes down which calls were refused, and which ones changed who may do what. */
import type { MethodSpec } from "../../schemas/contract.ts";
import { actorOf, type Audit } from "../audit.ts";
import { GatewayError } from "../error.ts";
import { AccessRefusal } from "./access.ts";
import type { Dispatch } from "./dispatch.ts";

/**
 * The same dispatch, with a record of every call that is not for its caller, and of every call of an
 * audited method, done or failed, when its answer is known.
 */
export function audited(
  dispatch: Dispatch,
  { methods, audit }: { methods: Readonly<Record<string, MethodSpec>>; audit: Audit },
): Dispatch {
  return (name, params, call) => {
    const isAudited = Object.hasOwn(methods, name) && methods[name]?.audited === true;
    const done = (result: unknown) => {
      if (!isAudited) return;
      const who = actorOf(call.caller);
      audit.record({ action: name, allowed: true, who, target: targetOf(params, result) });
    };
    const failed = (error: unknown) => {
      if (!isAudited && !isDenial(error)) return;
      const who = actorOf(call.caller);
      const target = isAudited ? targetOf(params) : undefined;
      audit.record({ action: name, allowed: false, reason: reasonOf(error), who, target });
    };
    try {
      const result = dispatch(name, params, call);
      if (result instanceof Promise) result.then(done, failed);
      else done(result);
      return result;
    } catch (error) {
      failed(error);
      throw error;
    }
  };
}

/** Whether the caller may not do it at all, however it is asked. */
function isDenial(error: unknown): boolean {
  return error instanceof AccessRefusal ||
    error instanceof GatewayError && error.code === "FORBIDDEN";
}

/** The protocol's code, or the sentence where it has none; what a bug says is for the log. */
function reasonOf(error: unknown): string {
  if (!(error instanceof GatewayError)) return "UNAVAILABLE";
  if (error instanceof AccessRefusal) return error.reason;
  const code = nameIn(error.details, ["code"]);
  return code ?? error.code;
}

/** What was acted on: the device behind a request, where the answer names it. */
function targetOf(params: unknown, result?: unknown): string | undefined {
  const device = typeof result === "object" && result !== null && "device" in result
    ? result.device
    : undefined;
  return nameIn(device, TARGETS) ?? nameIn(result, ["deviceId", "nodeId"]) ??
    nameIn(params, TARGETS);
}

/** The params that say what a method acts on. */
const TARGETS = ["deviceId", "nodeId", "requestId", "key", "sessionKey", "agentId", "id"];

function nameIn(value: unknown, names: readonly string[]): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const name of names) {
    const found = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
    if (typeof found === "string") return found;
  }
  return undefined;
}
