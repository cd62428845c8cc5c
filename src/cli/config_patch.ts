/** A change of the configuration, through the gateway where one runs. */
import { ConnectionError } from "../client/client.ts";
import { patched } from "../patch.ts";
import type { Call } from "./command.ts";
import { readConfigFile } from "./config_file.ts";
import { connect, withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { resolveTarget } from "./target.ts";

/**
 * Changes the configuration as `patched` does, whoever writes it. Resolves to who has. A gateway that
 * runs has the change in force by then; one that does not, reads the file at its start.
 */
export async function patchConfig(
  call: Pick<Call, "connection" | "env" | "paths" | "io" | "paint">,
  patch: Readonly<Record<string, unknown>>,
): Promise<"gateway" | "file"> {
  try {
    await using gateway = await connect(call, { scopes: ["operator.admin"] });
    const { hash } = await gateway.request("config.get", {});
    const raw = JSON.stringify(patch);
    await gateway.request("config.patch", {
      raw,
      ...(hash === undefined ? {} : { baseHash: hash }),
    });
    return "gateway";
  } catch (error) {
    if (!await isAbsentHere(call, error)) throw error;
  }
  const { changeFile } = await import("./config.ts");
  await changeFile(call, (root) => patched(root, patch));
  return "file";
}

/** The gateway's configuration, or that of the file where none runs. */
export async function currentConfig(
  call: Pick<Call, "connection" | "env" | "paths" | "io">,
): Promise<unknown> {
  try {
    const { config } = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => gateway.request("config.get", {}, options),
    );
    return config;
  } catch (error) {
    if (!await isAbsentHere(call, error)) throw error;
    return (await readConfigFile(call.paths.configPath)).value;
  }
}

/**
 * Nobody listens where this machine's own gateway would: there is none, rather than one that would
 * not have us. Of a gateway elsewhere the configuration is elsewhere too.
 */
export async function isAbsentHere(
  call: Pick<Call, "connection" | "env" | "paths">,
  error: unknown,
): Promise<boolean> {
  const cause = error instanceof Failure ? error.cause : error;
  if (!(cause instanceof ConnectionError) || cause.kind !== "unreachable") return false;
  return (await resolveTarget(call)).here;
}
