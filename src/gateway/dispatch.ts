/** From the name of a method to its answer: access, params, handler. */
import type { MethodSpec } from "../../schemas/contract.ts";
import { checkParams } from "../../schemas/validate.ts";
import type { Call } from "../caller.ts";
import { invalid } from "../error.ts";
import { requireAccess, unknownMethod } from "./access.ts";

/** A handler whose params were checked against its schema. */
type Handler = (params: never, call: Call) => unknown;

/** Answers one request. Rejects, or throws, with a `GatewayError` where it is refused. */
export type Dispatch = (name: string, params: unknown, call: Call) => unknown;

/**
 * Joins declarations and handlers, and refuses in the protocol's order: role, scope, existence,
 * params. Absent params count as an empty object.
 */
export function createDispatch(
  methods: Readonly<Record<string, MethodSpec>>,
  handlers: Readonly<Record<string, Handler>>,
): Dispatch {
  const table = new Map(
    Object.entries(methods).map(([name, method]) => [name, { method, handler: handlers[name] }]),
  );
  return (name, params, call) => {
    const found = table.get(name);
    requireAccess(call.caller, found?.method, name);
    if (found?.handler === undefined) throw unknownMethod(name);
    const given = params ?? {};
    const fault = checkParams(found.method, given);
    if (fault !== undefined) throw invalid(`invalid ${name} params: ${fault}`);
    return found.handler(given as never, call); // checked one line above
  };
}
