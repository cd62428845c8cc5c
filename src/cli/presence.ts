/** `openclaw presence` */
import type { PresenceEntry } from "../../schemas/system.ts";
import { answer } from "./answer.ts";
import { type Call, command } from "./command.ts";
import { withGateway } from "./connect.ts";
import { cut, oneLine, table } from "./text.ts";
import { relative } from "./time.ts";

export default command({
  about: "Show who is connected to the gateway",
  flags: {},
  connects: true,
  examples: [["openclaw presence", "list the gateway and its clients"]],
  async run(call) {
    const entries = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => gateway.request("system-presence", {}, options),
    );
    return answer(call, entries, (entries) => show(entries, call));
  },
});

function show(
  entries: readonly PresenceEntry[],
  { paint, io }: Pick<Call, "paint" | "io">,
): string {
  return table(
    ["HOST", "CLIENT", "MODE", "VERSION", "PLATFORM", "ADDRESS", "HEARD"],
    entries.map(({ host, clientId, mode, version, platform, ip, ts }) => [
      ...[host, clientId, mode, version, platform, ip].map((text) => cut(oneLine(text ?? "-"), 32)),
      relative(ts, io.now()),
    ]),
    paint.dim,
  );
}
