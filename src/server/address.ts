/** IP addresses: which are the same, which belong together, and sets of them. */

/** Whether an address is of this machine only. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(address) || address === "::1";
}

/** An address in the form that it is shown in: IPv4 inside of IPv6 as IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/**
 * What counts as one address: IPv4 by itself, also inside of IPv6; IPv6 by its /64 network; this
 * machine as one, for whoever is on it may choose among sixteen million.
 */
export function addressKey(address: string): string {
  if (isLoopback(address)) return "127.0.0.1";
  if (!address.includes(":")) return address;
  const value = parseAddress(address);
  if (value === undefined) return address;
  if (value >> 32n === MAPPED) return dottedOf(value);
  const groups = [112n, 96n, 80n, 64n].map((shift) => (value >> shift & 0xffffn).toString(16));
  return `${groups.join(":")}::/64`;
}

/**
 * Reads an address as a header may hold it: no port, no brackets, no zone. Returns it in the one
 * form that two spellings of it share for IPv4; `undefined` for anything else.
 */
export function readAddress(text: string): string | undefined {
  const value = parseAddress(text);
  if (value === undefined) return undefined;
  return value >> 32n === MAPPED ? dottedOf(value) : text.toLowerCase();
}

/** Addresses and networks, `10.0.0.2` or `10.0.0.0/8`. What is neither is in `faults` and matches nothing. */
export class AddressSet {
  readonly faults: readonly string[];
  readonly #networks: readonly Network[];

  constructor(entries: readonly string[]) {
    const read = entries.map((entry) => ({ entry, network: parseNetwork(entry) }));
    this.faults = read.flatMap(({ entry, network }) => network === undefined ? [entry] : []);
    this.#networks = read.flatMap(({ network }) => network === undefined ? [] : [network]);
  }

  /** Whether nothing is in it. */
  get isEmpty(): boolean {
    return this.#networks.length === 0;
  }

  has(address: string): boolean {
    if (this.#networks.length === 0) return false;
    const value = parseAddress(address);
    return value !== undefined &&
      this.#networks.some(({ base, shift }) => value >> shift === base >> shift);
  }

  /** Whether any address is in both sets. */
  overlaps(other: AddressSet): boolean {
    return this.#networks.some((one) =>
      other.#networks.some((two) => {
        const shift = one.shift > two.shift ? one.shift : two.shift;
        return one.base >> shift === two.base >> shift;
      })
    );
  }
}

/** All addresses that mean this machine. */
export const LOOPBACK = new AddressSet(["127.0.0.0/8", "::1"]);

interface Network {
  readonly base: bigint;
  /** How many of the lowest bits may be anything. */
  readonly shift: bigint;
}

/** What stands before an IPv4 address inside of IPv6. */
const MAPPED = 0xffffn;

function parseNetwork(entry: string): Network | undefined {
  const [address = "", prefix, ...rest] = entry.trim().split("/");
  const base = parseAddress(address);
  if (base === undefined || rest.length > 0) return undefined;
  const bits = address.includes(":") ? 128 : 32;
  if (prefix === undefined) return { base, shift: 0n };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return undefined;
  return { base, shift: BigInt(bits - Number(prefix)) };
}

/** An address as one number of 128 bits, IPv4 as it stands inside of IPv6. */
function parseAddress(text: string): bigint | undefined {
  const dotted = /^(.*:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (dotted === null) return parseGroups(text);
  const [, front, ...digits] = dotted;
  // A leading zero is octal to some programs and decimal to others.
  if (digits.some((part) => Number(part) > 255 || /^0\d/.test(part))) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = digits.map(Number);
  const group = (high: number, low: number) => (high << 8 | low).toString(16);
  return parseGroups(`${front ?? "::ffff:"}${group(a, b)}:${group(c, d)}`);
}

function parseGroups(text: string): bigint | undefined {
  const [front = "", back, ...rest] = text.split("::");
  if (rest.length > 0 || !text.includes(":")) return undefined;
  const groups = (part: string) => part === "" ? [] : part.split(":");
  const high = groups(front);
  const low = groups(back ?? "");
  const zeros = 8 - high.length - low.length;
  if (back === undefined ? zeros !== 0 : zeros < 1) return undefined;
  let value = 0n;
  for (const group of [...high, ...new Array<string>(zeros).fill("0"), ...low]) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    value = value << 16n | BigInt(parseInt(group, 16));
  }
  return value;
}

function dottedOf(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => value >> shift & 0xffn).join(".");
}
