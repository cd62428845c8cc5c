/** `openclaw dashboard` */
import { answer } from "./answer.ts";
import { type Call, command } from "./command.ts";
import { at, readConfigFile } from "./config_file.ts";
import { Failure } from "./failure.ts";
import { resolveTarget } from "./target.ts";

export default command({
  about: "Open the control page in a browser, signed in",
  details:
    "The token stands behind the # of the address, which browsers send to nobody. Whoever has the\n" +
    "address can steer the gateway: don't share it. Other users of this machine may see it among the\n" +
    "processes when a browser is opened: there, --no-open and pasting it are safer.",
  flags: { "no-open": { kind: "switch", about: "Only print the address" } },
  connects: true,
  examples: [
    ["openclaw dashboard", "open it"],
    ["openclaw dashboard --no-open", "print the address, for a browser elsewhere"],
  ],
  async run(call) {
    const { url, auth, here } = await resolveTarget(call);
    if (here) await requirePage(call);
    const page = new URL(url.replace(/^ws/, "http"));
    if (auth.token !== undefined) page.hash = `token=${encodeURIComponent(auth.token)}`;
    answer(call, { url: page.href }, ({ url }) => `${url}\n`);
    const headless = Deno.build.os === "linux" && !call.env.DISPLAY && !call.env.WAYLAND_DISPLAY;
    if (!call.flags["no-open"] && !call.json && !headless) open(page.href);
    return 0;
  },
});

/** Throws where this machine's gateway is set to serve no page. */
async function requirePage({ paths: { configPath } }: Pick<Call, "paths">): Promise<void> {
  const { value, path } = await readConfigFile(configPath);
  if (at(value, "gateway", "controlUi", "enabled") !== false) return;
  throw new Failure("PAGE_OFF", `The page is off: gateway.controlUi.enabled is false in ${path}`, {
    hint: "openclaw config unset gateway.controlUi.enabled",
  });
}

/** Asks the desktop to open the address; where there is none, printing it was all. */
function open(url: string): void {
  const [name, ...args] = OPENERS[Deno.build.os] ?? ["xdg-open"];
  try {
    const opener = new Deno.Command(name, {
      args: [...args, url],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    opener.spawn().unref();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  windows: ["rundll32", "url.dll,FileProtocolHandler"],
};
