/** Where and as whom a model is called. */
export interface Endpoint {
  /** The provider's id, as in `provider/model`. */
  readonly provider: string;
  /** As the provider's API wants it: with its version, without a slash at the end. */
  readonly baseUrl: string;
  /** Absent where the server asks for none. */
  readonly apiKey?: string;
  /** What a person sets to change the key: a variable, or a place in the configuration. */
  readonly keyHint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
}
