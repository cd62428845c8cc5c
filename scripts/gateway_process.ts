/** A gateway as a process of its own: started, awaited, watched and ended. For tests and measurements. */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** How to start a gateway, without its port. */
export interface Start {
  readonly command: readonly string[];
  /** What it needs of the environment besides its home. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The secret that the gateways started here want. */
export const TOKEN = "not-a-secret";

/** The gateway of this checkout, run from its sources. */
export async function fromSources(): Promise<Start> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir }: { denoDir: string } = JSON.parse(new TextDecoder().decode(stdout));
  return {
    command: [Deno.execPath(), "run", "--allow-all", path("main.ts")],
    env: { DENO_DIR: denoDir }, // the home that it gets has no packages
  };
}

/** The gateway that `deno task compile` made. */
export function compiled(file: string = path("dist/openclaw")): Start {
  return { command: [resolve(file)] };
}

/** The absolute path of something in this checkout. */
export function path(inCheckout: string): string {
  return fileURLToPath(new URL(`../${inCheckout}`, import.meta.url));
}

/** A port that nobody listens on just now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A gateway that answers. Disposing of it kills it. */
export interface GatewayProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves to its exit code. */
  readonly ended: Promise<number>;
  /** All that it has printed so far. */
  output(): string;
  /** Sends a signal; resolves, once the process is over, to how and how fast. */
  end(signal: Deno.Signal): Promise<{ readonly code: number; readonly ms: number }>;
}

/**
 * Starts a gateway that lives in `home` and nowhere else: no environment but `PATH` and what is
 * given reaches it. Resolves when it serves; rejects, with its output, when it ends before, or when
 * it doesn't serve within `timeoutMs`.
 */
export async function startGateway(
  start: Start,
  { timeoutMs = 60_000, ...place }: Place & { timeoutMs?: number },
): Promise<GatewayProcess> {
  const gateway = spawnGateway(start, place);
  const deadline = AbortSignal.timeout(timeoutMs);
  while (!await serves(gateway.port, deadline)) {
    const why = deadline.aborted
      ? `does not serve within ${timeoutMs} ms`
      : await Promise.race([gateway.ended.then((code) => `exit code ${code}`), pause(20)]);
    if (why === undefined) continue;
    await gateway.end("SIGKILL");
    throw new Error(`Cannot start ${start.command[0]}: ${why}\n${gateway.output()}`.trimEnd());
  }
  return gateway;
}

/** Where a gateway lives and listens; on a free port unless one is named. */
export interface Place {
  readonly home: string;
  readonly port?: number;
  /** Behind the port on the command line; unless given, they say that `TOKEN` is wanted. */
  readonly flags?: readonly string[];
}

/** `startGateway` without waiting for it to serve. */
export function spawnGateway(
  { command: [program = "", ...args], env = {} }: Start,
  { home, port = freePort(), flags = ["--token", TOKEN] }: Place,
): GatewayProcess {
  const child = new Deno.Command(program, {
    args: [...args, "gateway", "--allow-unconfigured", "--port", String(port), ...flags],
    cwd: home,
    clearEnv: true,
    env: { PATH: `${dirname(program)}:${Deno.env.get("PATH") ?? ""}`, HOME: home, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const keep = async (stream: typeof child.stdout) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output = (output + text).slice(-100_000);
    }
  };
  const over = Promise.all([child.status, keep(child.stdout), keep(child.stderr)]);
  const ended = over.then(([{ code }]) => code);
  const end = async (signal: Deno.Signal) => {
    const asked = performance.now();
    try {
      child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    return { code: await ended, ms: performance.now() - asked };
  };
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    ended,
    output: () => output,
    end,
    [Symbol.asyncDispose]: async () => void await end("SIGKILL"),
  };
}

async function serves(port: number, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
