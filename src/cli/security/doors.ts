/** Knocks at the gateway that runs, as a stranger would, and tells which doors open. */
import { GatewayClient } from "../../client/client.ts";
import type { Call } from "../command.ts";
import { resolveTarget } from "../target.ts";
import { VERSION } from "../version.ts";
import type { Finding } from "./finding.ts";

/** How long a knock may take, in milliseconds. */
const KNOCK_MS = 3_000;

/** Leaves nothing behind but lines in the audit log. No finding where nobody answers. */
export async function* doorFindings(call: Call): AsyncIterable<Finding> {
  const { url } = await resolveTarget(call);
  if (await opensWithoutSecret(url)) {
    yield {
      checkId: "doors.no_secret",
      severity: "warn", // from this machine; whether others can knock too, the configuration says
      title: "The gateway lets in who shows no secret",
      detail: `${url} said hello to a client without a token, a password or a key`,
      mend: { by: "hand", how: "openclaw config set gateway.auth.mode token" },
    };
  }
  for (const origin of ["https://stranger.example", "null"]) {
    if (!await opensToPage(url, origin)) continue;
    yield {
      checkId: "doors.foreign_origin",
      severity: "critical",
      title: "The gateway answers pages of strangers",
      detail: `${url} answered a request with the origin ${origin}`,
      mend: { by: "hand", how: "openclaw config unset gateway.controlUi.allowedOrigins" },
    };
  }
}

async function opensWithoutSecret(url: string): Promise<boolean> {
  try {
    const client = await GatewayClient.connect({
      url,
      client: { id: "cli", mode: "probe", version: VERSION, platform: Deno.build.os },
      scopes: ["operator.read"],
      timeoutMs: KNOCK_MS,
    });
    await client[Symbol.asyncDispose]();
    return (client.hello.auth?.scopes.length ?? 0) > 0;
  } catch {
    return false; // refused, or nobody is there
  }
}

async function opensToPage(url: string, origin: string): Promise<boolean> {
  try {
    const response = await fetch(url.replace(/^ws/, "http"), {
      headers: { origin },
      redirect: "manual",
      signal: AbortSignal.timeout(KNOCK_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
