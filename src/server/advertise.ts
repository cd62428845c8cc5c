/**
 * Makes a service known by multicast DNS (RFC 6762) and DNS-SD (RFC 6763): finds out whether its
 * name is free, announces it, answers who asks, and takes it back at the end. Without sockets.
 */
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import { AUTHORITATIVE_ANSWER, decode, encode } from "dns-packet";
// @ts-types="@types/dns-packet"
import type { Answer, DecodedPacket, Packet, Question, SrvAnswer } from "dns-packet";
import { aborted, pause } from "../deadline.ts";

/** One service of this machine. */
export interface Service {
  /** One label, for people. */
  readonly name: string;
  /** `_something._tcp.local` */
  readonly type: string;
  /** The machine, `<label>.local`. */
  readonly host: string;
  readonly port: number;
  /** Entries `key=value`. */
  readonly txt: readonly string[];
}

/** A network that this machine is in. */
export interface Link {
  /** The machine's IPv4 address there. */
  readonly address: string;
  readonly netmask: string;
}

export interface Sender {
  readonly hostname: string;
  readonly port: number;
}

/** The multicast group of DNS, on some links. */
export interface Group extends Disposable {
  readonly links: readonly Link[];
  /** Who sends from another one is no member. */
  readonly port: number;
  /** All that comes, our own too; ends when disposed of. */
  packets(): AsyncIterable<{ readonly bytes: Uint8Array; readonly from: Sender }>;
  /** To the group on a link, or on it to who asked. Never rejects. */
  send(bytes: Uint8Array, link: Link, to?: Sender): Promise<void>;
}

export interface AdvertiseOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Hears the name by which the service is known from now on. */
  readonly onName?: (name: string) => void;
  /** Resolves after the time, or when the signal aborts. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const MDNS_GROUP = "224.0.0.251";
export const MDNS_PORT = 5353;

/** Takes the group over and disposes of it. Resolves when the service was taken back. */
export async function advertise(
  service: Service,
  group: Group,
  options: AdvertiseOptions,
): Promise<void> {
  const advertiser = new Advertiser(service, group, options);
  const listening = advertiser.listen();
  try {
    await advertiser.run();
  } finally {
    group[Symbol.dispose]();
    await listening;
  }
}

/** How often it is asked whether a name is free, and how far apart in milliseconds. */
const PROBES = 3;
const PROBE_MS = 250;
const ANNOUNCEMENTS = 2;
const ANNOUNCE_MS = 1_000;
/** After so many names that were taken, time is taken for each. */
const MANY_NAMES = 15;
const MANY_NAMES_MS = 5_000;
/** For so long an answer to all is one to the next who ask, too. */
const FRESH_MS = 1_000;
/** How long others may keep what they hear, in seconds; what names a host, for less. */
const TTL = 4_500;
const HOST_TTL = 120;
/** For who is not of the group, and would not hear of a change. */
const OUTSIDER_TTL = 10;
/** What RFC 6762 allows, in bytes. Names in a larger one can be made to take a long time to read. */
const MAX_PACKET = 9_000;
const SERVICES = "_services._dns-sd._udp.local";
const MAX_LABEL = 63;

class Advertiser {
  readonly #service: Service;
  readonly #group: Group;
  readonly #options: Required<AdvertiseOptions>;
  /** When each link was told all, by `performance.now()`. */
  readonly #toldAt = new Map<Link, number>();
  #rank = 1;
  #isKnown = false;
  /** To be known by one name; ends with all, or when somebody else has that name. */
  #attempt = new AbortController();

  constructor(service: Service, group: Group, options: AdvertiseOptions) {
    this.#service = service;
    this.#group = group;
    this.#options = { onName: () => {}, pause, ...options };
  }

  async run(): Promise<void> {
    const { signal, onName } = this.#options;
    // No `AbortSignal.any`: older runtimes lose it.
    signal.addEventListener("abort", () => this.#attempt.abort(), { once: true });
    while (!signal.aborted) {
      this.#attempt = new AbortController();
      const { signal: ends } = this.#attempt;
      await this.#probe(ends);
      if (ends.aborted) {
        this.#rank++;
        continue;
      }
      this.#isKnown = true;
      onName(this.#label);
      for (let i = 0; i < ANNOUNCEMENTS && !ends.aborted; i++) {
        await this.#tell((link) => this.#records(link));
        await this.#options.pause(ANNOUNCE_MS, ends);
      }
      await aborted(ends);
      // One that was not heard before may have the name: whoever is first from here on gets it.
      if (!signal.aborted) this.#isKnown = false;
    }
    if (this.#isKnown) {
      await this.#tell((link) => this.#records(link).map((record) => ({ ...record, ttl: 0 })));
    }
  }

  /** Hears what others say, until the group ends. */
  async listen(): Promise<void> {
    for await (const { bytes, from } of this.#group.packets()) {
      const link = this.#group.links.find((link) => isIn(link, from.hostname));
      if (link === undefined) continue; // nobody of a network here: what looks so is forged
      const packet = read(bytes);
      if (packet === undefined) continue;
      if (packet.type === "query") await this.#answer(packet, link, from);
      else this.#compare([...packet.answers ?? [], ...packet.additionals ?? []]);
    }
  }

  /** Asks whether the name is somebody's. Resolves early if it is. */
  async #probe(ends: AbortSignal): Promise<void> {
    const { pause } = this.#options;
    await pause(Math.random() * PROBE_MS + (this.#rank > MANY_NAMES ? MANY_NAMES_MS : 0), ends);
    for (let i = 0; i < PROBES && !ends.aborted; i++) {
      const packet: Packet = {
        type: "query",
        questions: [{ type: "SRV", name: this.#instance }],
        authorities: [this.#srv],
      };
      for (const link of this.#group.links) await this.#group.send(encode(packet), link);
      await pause(PROBE_MS, ends);
    }
  }

  /** Looks whether others say of our name what we don't. */
  #compare(records: readonly Answer[]): void {
    const { port, target } = this.#srv.data;
    for (const record of records) {
      if (record.type !== "SRV" || !isSame(record.name, this.#instance) || record.ttl === 0) {
        continue;
      }
      const isOurs = record.data.port === port && isSame(record.data.target, target);
      if (!isOurs) this.#attempt.abort();
    }
  }

  /** Two ask for the name at once: the one whose record is greater gets it. */
  #yield(records: readonly Answer[]): void {
    const ours = rank(this.#srv);
    for (const record of records) {
      if (record.type !== "SRV" || !isSame(record.name, this.#instance)) continue;
      if (rank(record) > ours) this.#attempt.abort();
    }
  }

  async #answer(query: DecodedPacket, link: Link, from: Sender): Promise<void> {
    if (!this.#isKnown) return this.#yield(query.authorities ?? []);
    const records = this.#records(link);
    const known = query.answers ?? [];
    const answers = records.filter((record) =>
      query.questions?.some((question) => asksFor(question, record)) &&
      !known.some((other) => isKnown(other, record))
    );
    if (answers.length === 0) return;
    const additionals = answers.some(({ type }) => type !== "A")
      ? records.filter((record) => !answers.includes(record))
      : [];
    if (from.port !== this.#group.port) {
      const short = <T extends Answer>(record: T) => ({
        ...record,
        ttl: OUTSIDER_TTL,
        flush: false,
      });
      const packet: Packet = {
        type: "response",
        id: query.id,
        flags: AUTHORITATIVE_ANSWER,
        questions: query.questions?.map(({ type, name }) => ({ type, name })),
        answers: answers.map(short),
        additionals: additionals.map(short),
      };
      return await this.#group.send(encode(packet), link, from);
    }
    const isProbe = (query.authorities ?? []).length > 0;
    const toldAt = this.#toldAt.get(link) ?? -Infinity;
    if (!isProbe && performance.now() - toldAt < FRESH_MS) return;
    this.#toldAt.set(link, performance.now());
    await this.#group.send(response(answers, additionals), link);
  }

  async #tell(records: (link: Link) => readonly Answer[]): Promise<void> {
    for (const link of this.#group.links) await this.#group.send(response(records(link)), link);
  }

  /** The name with what sets it apart from others who have the same. */
  get #label(): string {
    const rank = this.#rank === 1 ? "" : ` (${this.#rank})`;
    return `${cut(this.#service.name, MAX_LABEL - rank.length)}${rank}`;
  }

  get #instance(): string {
    return `${this.#label}.${this.#service.type}`;
  }

  get #srv(): SrvAnswer {
    const { host: target, port } = this.#service;
    return {
      type: "SRV",
      name: this.#instance,
      ttl: HOST_TTL,
      flush: true,
      data: { port, target, priority: 0, weight: 0 },
    };
  }

  /** All that there is to say on a link, the most asked for first. */
  #records({ address }: Link): readonly Answer[] {
    const { type, host, txt } = this.#service;
    const name = this.#instance;
    return [
      { type: "PTR", name: type, ttl: TTL, data: name },
      this.#srv,
      { type: "TXT", name, ttl: TTL, flush: true, data: [...txt] },
      // Not the only one: another program may tell more addresses of this host.
      { type: "A", name: host, ttl: HOST_TTL, data: address },
      { type: "PTR", name: SERVICES, ttl: TTL, data: type },
    ];
  }
}

function response(answers: readonly Answer[], additionals: readonly Answer[] = []): Uint8Array {
  return encode({
    type: "response",
    flags: AUTHORITATIVE_ANSWER,
    answers: [...answers],
    additionals: [...additionals],
  });
}

function asksFor({ type, name }: Question, record: Answer): boolean {
  return (type === record.type || type as string === "ANY") && isSame(name, record.name);
}

/** Whether who asks has it still for a good while. */
function isKnown(other: Answer, record: Answer): boolean {
  return other.type === "PTR" && record.type === "PTR" && isSame(other.name, record.name) &&
    isSame(other.data, record.data) && (other.ttl ?? 0) >= TTL / 2;
}

/** Names of DNS know no difference of case. */
function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase();
}

function rank({ data: { port, target } }: SrvAnswer): string {
  return `${String(port).padStart(5, "0")} ${target.toLowerCase()}`;
}

/** `undefined` for what is none: everybody can send anything to a group. */
function read(bytes: Uint8Array): DecodedPacket | undefined {
  if (bytes.length > MAX_PACKET) return undefined;
  try {
    return decode(Buffer.from(bytes));
  } catch {
    return undefined;
  }
}

function isIn({ address, netmask }: Link, hostname: string): boolean {
  const mask = bits(netmask);
  return (bits(address) & mask) === (bits(hostname) & mask);
}

function bits(address: string): number {
  return address.split(".").reduce((sum, part) => sum << 8 | Number(part), 0);
}

/** The text's beginning, in at most so many bytes. */
function cut(text: string, bytes: number): string {
  const room = new Uint8Array(bytes);
  return text.slice(0, new TextEncoder().encodeInto(text, room).read);
}
