import { deepStrictEqual, throws } from "node:assert/strict";
import { chooseUrls } from "./setup_url.ts";

const LAN = [
  { url: "ws://192.168.1.5:18789", source: "gateway.bind=lan" },
  { url: "ws://10.0.0.5:18789", source: "gateway.bind=lan" },
];
const CONFIG = {
  gateway: { remote: { url: "wss://remote.example" } },
  plugins: { entries: { "device-pair": { config: { publicUrl: "https://gw.example/" } } } },
};

Deno.test("the address that was asked for comes first, then the configured, then our own", () => {
  const chosen = (given: Partial<Parameters<typeof chooseUrls>[0]>) => {
    const { urls, direct } = chooseUrls({
      asked: undefined,
      preferRemote: false,
      config: {},
      own: [],
      ...given,
    });
    return [...urls.map(({ url }) => url), direct];
  };
  const asked = "wss://asked.example:8443";
  deepStrictEqual(chosen({ asked, config: CONFIG, own: LAN }), [asked, false]);
  deepStrictEqual(chosen({ config: CONFIG, own: LAN }), ["wss://gw.example", false]);
  deepStrictEqual(chosen({ config: CONFIG, own: LAN, preferRemote: true }), [
    "wss://remote.example",
    false,
  ]);
  deepStrictEqual(chosen({ own: LAN }), [...LAN.map(({ url }) => url), true]);
  const published = { url: "wss://box.ts.net", source: "tailscale", proxied: true } as const;
  deepStrictEqual(chosen({ own: [published] }), ["wss://box.ts.net", false]);
  deepStrictEqual(chosen({ config: { gateway: CONFIG.gateway } }), [
    "wss://remote.example",
    false,
  ]);
});

Deno.test("without any address there is no code, and the reason names the setting", () => {
  throws(
    () => chooseUrls({ asked: undefined, preferRemote: false, config: {}, own: [] }),
    /reachable from its own machine only: set gateway\.bind.*device-pair\.config\.publicUrl/,
  );
});

Deno.test("an address that would give everything away is refused", () => {
  const asked = (text: string) =>
    chooseUrls({ asked: text, preferRemote: false, config: {}, own: [] });
  for (
    const [text, reason] of [
      ["ws://gw.example", /request\.publicUrl must start with wss/],
      ["http://203.0.113.9", /must start with wss/],
      ["ws://192.168.1.5.evil.example", /must start with wss/],
      ["ftp://gw.example", /is no address/],
      ["gw.example", /is no address/],
      ["wss://user:secret@gw.example", /without credentials/],
      ["wss://gw.example/?token=x", /without credentials or a query/],
      ["wss://gw.example/#token=x", /without credentials or a query/],
    ] as const
  ) throws(() => asked(text), reason);
});

Deno.test("in clear through a network counts as readable, on this machine it does not", () => {
  const readable = (text: string) =>
    chooseUrls({ asked: text, preferRemote: false, config: {}, own: [] }).readable;
  deepStrictEqual(
    ["wss://gw.example", "ws://127.0.0.1:1", "ws://[::1]:1", "ws://10.1.2.3", "ws://box.local"].map(
      readable,
    ),
    [false, false, false, true, true],
  );
});
