/** A `tailscale` program for a gateway's PATH: says what the real one says, of a tailnet of its own. */

/** The program in a folder of its own, and what it was asked. */
export class FakeTailscale implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async install(): Promise<FakeTailscale> {
    const folder = await Deno.makeTempDir({ prefix: "openclaw-tailscale-" });
    const fake = new FakeTailscale(folder);
    await fake.is("Running");
    const whois = `{"Node":{"Name":"phone.tail1234.ts.net."%TAGS%},` +
      `"UserProfile":{"ID":7,"LoginName":"%LOGIN%","DisplayName":"Ada"},"CapMap":{}}`;
    await Deno.writeTextFile(
      `${folder}/tailscale`,
      `#!/bin/sh
echo "$*" >>"${folder}/asked"
env >"${folder}/env"
says() { echo '${whois}' | sed "s/%LOGIN%/$1/; s/%TAGS%/$2/"; }
case "$*" in
  "status --json --peers=false") cat "${folder}/status" ;;
  "whois --json 100.64.0.7") says ada@example.com ;;
  "whois --json 100.64.0.8") says eve@example.com ;;
  "whois --json 100.64.0.9") says tagged-devices ',"Tags":["tag:server"]' ;;
  "whois --json 100.64.0.10") exec sleep 60 ;;
  whois*) echo "peer not found" >&2; exit 1 ;;
  *" off") echo ;;
  "serve --bg --yes "* | "funnel --bg --yes "*)
    test -e "${folder}/broken" && { echo "serve is not enabled on your tailnet" >&2; exit 1; }
    echo "Available within your tailnet:" ;;
  *) echo "unknown subcommand: $*" >&2; exit 1 ;;
esac
`,
    );
    await Deno.chmod(`${folder}/tailscale`, 0o700);
    return fake;
  }

  /** The PATH that has it, and what it needs itself. */
  get path(): string {
    return `${this.folder}:/usr/bin:/bin`;
  }

  /** What `status` says of the daemon from now on. */
  async is(state: "Running" | "Stopped" | "NeedsLogin"): Promise<void> {
    await Deno.writeTextFile(
      `${this.folder}/status`,
      JSON.stringify({
        Version: "1.90.0",
        BackendState: state,
        MagicDNSSuffix: "tail1234.ts.net",
        Self: {
          HostName: "Box",
          DNSName: "Box.tail1234.ts.net.",
          TailscaleIPs: ["100.64.0.1", "fd7a:115c:a1e0::1"],
          Online: state === "Running",
        },
        CertDomains: ["box.tail1234.ts.net"],
      }),
    );
  }

  /** Nothing can be published from now on. */
  async breakServe(): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/broken`, "");
  }

  /** The command lines that it was run with, in order. */
  async asked(): Promise<readonly string[]> {
    try {
      return (await Deno.readTextFile(`${this.folder}/asked`)).trim().split("\n");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  /** The names in the environment of its last run. */
  async environment(): Promise<readonly string[]> {
    const text = await Deno.readTextFile(`${this.folder}/env`);
    return text.trim().split("\n").map((line) => line.slice(0, line.indexOf("=")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
