/** Everything that `openclaw security audit` looks at, one after the other. */
import type { Call } from "../command.ts";
import { withGateway } from "../connect.ts";
import { type ConfigFile, readConfigFile } from "../config_file.ts";
import { Failure } from "../failure.ts";
import { resolveTarget } from "../target.ts";
import { oneLine } from "../text.ts";
import { VERSION } from "../version.ts";
import { credentialFindings, type Held, shownSecrets } from "./credentials.ts";
import { deviceFindings } from "./devices.ts";
import { doorFindings } from "./doors.ts";
import { exposureFindings } from "./exposure.ts";
import { fileFindings } from "./files.ts";
import type { Finding } from "./finding.ts";
import { processFindings, type Running, runningGateway } from "./process.ts";
import { strangerFindings } from "./strangers.ts";

/** How long the gateway may take to answer, unless a time is given, in milliseconds. */
const ANSWER_MS = 3_000;

/** With `deep` it also knocks at the gateway's doors, as a stranger would. */
export async function examine(
  call: Call,
  { deep }: { deep: boolean },
): Promise<readonly Finding[]> {
  const { paths, env } = call;
  const config = await readConfig(paths.configPath);
  const running = await runningGateway(paths.stateDir);
  const findings: Finding[] = [];
  if ("fault" in config) findings.push(config.fault);
  else {
    findings.push(
      ...exposureFindings(config.value, running),
      ...strangerFindings(config.value),
      ...credentialFindings({
        shown: shownSecrets(config.value, env),
        all: await secretsOf(config.value),
      }),
    );
  }
  findings.push(
    ...await Array.fromAsync(processFindings(running, env)),
    ...await Array.fromAsync(fileFindings(paths)),
    ...await lookAtDevices(call, running),
  );
  if (deep) findings.push(...await Array.fromAsync(doorFindings(call)));
  return findings;
}

async function readConfig(path: string): Promise<ConfigFile | { readonly fault: Finding }> {
  try {
    return await readConfigFile(path);
  } catch (error) {
    return {
      fault: {
        checkId: "config.unreadable",
        severity: "critical",
        title: "The configuration can't be read, and so was not looked at",
        detail: reasonOf(error),
        mend: { by: "hand", how: "openclaw config validate" },
      },
    };
  }
}

/** Secrets that stand in the configuration itself, not those that it only points to. */
async function secretsOf(config: unknown): Promise<readonly Held[]> {
  const { secretsIn } = await import("../../config.ts"); // takes the schema's library with it
  const points = /^\$\{\w+\}$/;
  return [...secretsIn(config)].filter(({ path, secret }) =>
    !points.test(secret) && !/\.(source|id|provider)$/.test(path)
  );
}

/** Asks the gateway; where none runs, its store says the same. */
async function lookAtDevices(
  call: Call,
  running: Running | undefined,
): Promise<readonly Finding[]> {
  const timeout = call.connection.timeout ?? ANSWER_MS;
  try {
    const { authFrom } = await resolveTarget(call);
    // Without a secret this machine's key would ask to be paired: an audit asks for nothing.
    if (authFrom === undefined) {
      return running === undefined
        ? await lookAtStore(call)
        : [notAsked("no token or password for the gateway is known")];
    }
    return await withGateway(
      { ...call, connection: { ...call.connection, timeout } },
      { scopes: ["operator.pairing"] },
      async (gateway, options) => [
        ...deviceFindings(await gateway.request("device.pair.list", {}, options), call.io.now()),
        ...versionFindings(gateway.hello.server.version),
      ],
    );
  } catch (error) {
    const isThere = running !== undefined || call.connection.url !== undefined;
    const isSilent = error instanceof Failure && error.code === "UNREACHABLE";
    return isSilent && !isThere ? await lookAtStore(call) : [notAsked(reasonOf(error))];
  }
}

async function lookAtStore({ paths: { stateDir }, io }: Call): Promise<readonly Finding[]> {
  const { glanceAtDevices } = await import("../offline.ts"); // takes what a gateway is made of with it
  try {
    const { version, known, ...devices } = glanceAtDevices(stateDir);
    return [...deviceFindings(devices, io.now()), ...schemaFindings({ version, known })];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // no gateway ever ran here
    return [notAsked(reasonOf(error))];
  }
}

function schemaFindings(
  { version, known }: { version: number; known: number },
): readonly Finding[] {
  if (version === known) return [];
  const isOlder = version < known;
  return [{
    checkId: isOlder ? "store.older_version" : "store.newer_version",
    severity: isOlder ? "info" : "warn",
    title: isOlder ? "The store is of an older version" : "The store is of a newer version",
    detail: `Its schema has version ${version}, and this program's is ${known}` +
      (isOlder ? ": the next start brings it up to date" : ": this program refuses to start on it"),
  }];
}

function notAsked(reason: string): Finding {
  return {
    checkId: "devices.not_checked",
    severity: "info",
    title: "The devices were not looked at",
    detail: reason,
    mend: { by: "hand", how: "openclaw gateway, and then again" },
  };
}

function versionFindings(version: string): readonly Finding[] {
  if (version === VERSION) return [];
  return [{
    checkId: "gateway.version_differs",
    severity: "info",
    title: "The gateway that runs is another version than this program",
    detail:
      `It is ${oneLine(version)}, and this is ${VERSION}: what this one knows to look at may ` +
      "not be all there is",
    mend: { by: "hand", how: "start the gateway anew" },
  }];
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
