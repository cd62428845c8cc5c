/** What `openclaw gateway` was asked on the command line, for `serve`. */
import type { Env, Paths } from "./paths.ts";

/** `port` and the paths are resolved from flags and environment; the configuration is unread. */
export interface ServeFlags extends Paths {
  readonly bind?: "loopback" | "lan" | "tailnet" | "auto" | "custom";
  readonly auth?: "none" | "token" | "password" | "trusted-proxy";
  readonly token?: string;
  readonly password?: string;
  readonly tokenFile?: string;
  readonly passwordFile?: string;
  /** Let the tailnet, or the internet, reach the gateway by Tailscale. */
  readonly tailscale?: "off" | "serve" | "funnel";
  /** Take that back when the gateway ends. */
  readonly tailscaleResetOnExit?: boolean;
  /** Speak TLS, whatever the configuration says of it. */
  readonly tls?: boolean;
  readonly verbose: boolean;
  /** Take the port over from a gateway that already runs. */
  readonly force: boolean;
  readonly dev: boolean;
  /** Start although the configuration does not say `gateway.mode: "local"`. */
  readonly allowUnconfigured: boolean;
  /** Colours are welcome on standard error. */
  readonly colour: boolean;
  /** The process's environment over that of `<stateDir>/.env`. */
  readonly env: Env;
}
