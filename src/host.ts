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
