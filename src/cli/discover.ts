/** `openclaw gateway discover` */
import { answer } from "./answer.ts";
import { command } from "./command.ts";
import { networksOf } from "./host.ts";
import { oneLine, table } from "./text.ts";

const TIMEOUT_MS = 2_000;

export default command({
  about: "Look for gateways on the local networks",
  details:
    "Finds those that listen beyond their own machine and make themselves known. Nobody vouches\n" +
    "for what they say: compare a fingerprint with what that gateway prints at its start.",
  flags: {
    timeout: { kind: "number", value: "ms", min: 1, about: "How long to wait for answers (2000)" },
  },
  connects: false,
  examples: [
    ["openclaw gateway discover", "which gateways are here?"],
    ["openclaw gateway discover --json", "with all that they say of themselves"],
  ],
  async run(call) {
    const { timeout: timeoutMs = TIMEOUT_MS } = call.flags;
    const links = networksOf("0.0.0.0");
    const { browse } = await import("./browse.ts");
    const found = links.length === 0 ? [] : await browse(links, { timeoutMs });
    const beacons = found.map(({ name, address, port, ...said }) => ({
      name,
      wsUrl: `${said.tlsFingerprint === undefined ? "ws" : "wss"}://${address}:${port}`,
      ...said,
    }));
    return answer(call, { timeoutMs, count: beacons.length, beacons }, () => {
      if (beacons.length === 0) return "No gateway makes itself known here\n";
      const rows = beacons.map(({ name, wsUrl, tlsFingerprint = "-" }) => [
        oneLine(name),
        oneLine(wsUrl),
        tlsFingerprint,
      ]);
      return table(["NAME", "ADDRESS", "CERTIFICATE"], rows, call.paint.dim);
    });
  },
});
