/** The machine that the gateway runs on. */

/** What the gateway says of the machine it runs on. */
export interface Host {
  readonly name: string;
  readonly ip?: string;
  readonly platform: string;
  readonly deviceFamily: string;
  readonly arch: string;
  readonly version: string;
}

/** An address at which others than this machine reach the gateway, and what makes it one. */
export interface GatewayUrl {
  /** `ws://` or `wss://`. */
  readonly url: string;
  readonly source: string;
  /** Something before the gateway speaks TLS there, with a certificate of its own. */
  readonly proxied?: true;
}
