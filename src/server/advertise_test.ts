import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import { type Answer, decode, type DecodedPacket, encode, type Packet } from "dns-packet";
import { advertise, type Group, type Link, type Sender, type Service } from "./advertise.ts";

const HERE: Link = { address: "192.0.2.7", netmask: "255.255.255.0" };
const MEMBER: Sender = { hostname: "192.0.2.99", port: 5353 };
const TYPE = "_openclaw-gw._tcp.local";

const den: Service = {
  name: "den (OpenClaw)",
  type: TYPE,
  host: "den.local",
  port: 18_789,
  txt: ["role=gateway"],
};

/** A network in which every packet reaches everybody at once. */
class Ether {
  readonly #groups = new Set<FakeGroup>();

  join(...links: readonly Link[]): FakeGroup {
    const group = new FakeGroup(links, {
      carry: (bytes, from) => {
        for (const other of this.#groups) other.receive(bytes, from);
      },
      leave: () => void this.#groups.delete(group),
    });
    this.#groups.add(group);
    return group;
  }
}

interface Sent {
  readonly packet: DecodedPacket;
  readonly link: Link;
  readonly to?: Sender;
}

class FakeGroup implements Group {
  readonly links: readonly Link[];
  readonly port = MEMBER.port;
  readonly sent: Sent[] = [];
  readonly #carry: (bytes: Uint8Array, from: Sender) => void;
  readonly #leave: () => void;
  readonly #inbox: { bytes: Uint8Array; from: Sender }[] = [];
  #waiting: (() => void)[] = [];
  #isOver = false;

  constructor(
    links: readonly Link[],
    { carry, leave }: { carry: FakeGroup["receive"]; leave: () => void },
  ) {
    this.links = links;
    this.#carry = carry;
    this.#leave = leave;
  }

  async *packets() {
    while (!this.#isOver) {
      yield* this.#inbox.splice(0);
      if (!this.#isOver && this.#inbox.length === 0) await this.#news();
    }
  }

  receive(bytes: Uint8Array, from: Sender): void {
    this.#inbox.push({ bytes, from });
    this.#wake();
  }

  /** Says something to this member alone, as somebody else. */
  hear(packet: Packet, from: Sender = MEMBER): void {
    this.receive(encode(packet), from);
  }

  send(bytes: Uint8Array, link: Link, to?: Sender): Promise<void> {
    this.sent.push({ packet: decode(Buffer.from(bytes)), link, ...(to && { to }) });
    this.#wake();
    if (to === undefined) this.#carry(bytes, { hostname: link.address, port: 5353 });
    return Promise.resolve();
  }

  /** The first packet that fits, of those that nobody waited for; it may be still to come. */
  async said(fits: (sent: Sent) => boolean): Promise<Sent> {
    for (;;) {
      const at = this.sent.findIndex(fits);
      const [found] = at < 0 ? [] : this.sent.splice(0, at + 1).slice(-1);
      if (found !== undefined) return found;
      await this.#news();
    }
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#leave();
    this.#wake();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

interface Advertised extends AsyncDisposable {
  readonly group: FakeGroup;
  /** Resolves to the next name that it is known by. */
  name(): Promise<string>;
}

/** An advertisement for which time passes at once. */
function advertised(service: Service, group: FakeGroup): Advertised {
  const stop = new AbortController();
  const names: string[] = [];
  let wake = () => {};
  const ended = advertise(service, group, {
    signal: stop.signal,
    onName: (name) => {
      names.push(name);
      wake();
    },
    // A turn of the event loop: by then all that was said is heard, as the ether carries it at once.
    pause: () => new Promise((resolve) => setTimeout(resolve)),
  });
  return {
    group,
    async name() {
      while (names.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return names.shift()!;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

/** One whose announcements are over. */
async function known(service = den, group = new Ether().join(HERE)): Promise<Advertised> {
  const advertisement = advertised(service, group);
  await advertisement.name();
  for (let i = 0; i < 2; i++) await group.said(({ packet }) => packet.type === "response");
  return advertisement;
}

function query(type: string, name: string, more: Partial<Packet> = {}): Packet {
  // The library takes kinds of questions that its types don't know.
  return { type: "query", questions: [{ type: type as "PTR", name }], ...more };
}

const kinds = (records: readonly Answer[] = []) => records.map(({ type }) => type);
const isAnswer = ({ packet }: Sent) => packet.type === "response";

Deno.test("a service asks for its name, announces itself twice, and takes itself back", async () => {
  const group = new Ether().join(HERE);
  {
    await using service = advertised(den, group);
    for (let i = 0; i < 3; i++) {
      const { packet } = await group.said(() => true);
      deepStrictEqual(
        [packet.type, packet.questions?.[0]?.name, kinds(packet.authorities)],
        ["query", `den (OpenClaw).${TYPE}`, ["SRV"]],
      );
    }
    strictEqual(await service.name(), "den (OpenClaw)");
    for (let i = 0; i < 2; i++) {
      const { packet: { answers = [] } } = await group.said(isAnswer);
      deepStrictEqual(kinds(answers), ["PTR", "SRV", "TXT", "A", "PTR"]);
      const [, srv, txt, a] = answers;
      ok(srv?.type === "SRV" && txt?.type === "TXT" && a?.type === "A");
      deepStrictEqual([srv.data.port, srv.data.target, a.name, a.data], [
        18_789,
        "den.local",
        "den.local",
        "192.0.2.7",
      ]);
      deepStrictEqual(String(txt.data), "role=gateway");
      ok(answers.every((record) => (record as { ttl?: number }).ttl! > 0));
    }
  }
  const { packet: { answers = [] } } = await group.said(isAnswer);
  deepStrictEqual(answers.map((record) => (record as { ttl?: number }).ttl), [0, 0, 0, 0, 0]);
});

Deno.test("who browses gets the service, and all that is needed to reach it", async () => {
  await using service = await known();
  service.group.hear(query("PTR", TYPE.toUpperCase()));
  const { packet, link, to } = await service.group.said(isAnswer);
  deepStrictEqual([link, to, kinds(packet.answers)], [HERE, undefined, ["PTR"]]);
  deepStrictEqual(kinds(packet.additionals), ["SRV", "TXT", "A", "PTR"]);
});

Deno.test("each record can be asked for by itself, and nothing else is answered", async () => {
  for (
    const [type, name, answers] of [
      ["SRV", `den (OpenClaw).${TYPE}`, ["SRV"]],
      ["TXT", `den (OpenClaw).${TYPE}`, ["TXT"]],
      ["ANY", `den (OpenClaw).${TYPE}`, ["SRV", "TXT"]],
      ["A", "den.local", ["A"]],
      ["PTR", "_services._dns-sd._udp.local", ["PTR"]],
    ] as const
  ) {
    await using service = await known();
    service.group.hear(query("PTR", "_ipp._tcp.local"));
    service.group.hear(query("AAAA", "den.local"));
    service.group.hear(query(type, name));
    const { packet } = await service.group.said(isAnswer);
    deepStrictEqual(kinds(packet.answers), answers);
  }
});

Deno.test("who is outside of the group is answered alone, in the form of plain DNS", async () => {
  await using service = await known();
  const outsider = { hostname: "192.0.2.99", port: 40_000 };
  service.group.hear(query("PTR", TYPE, { id: 77 }), outsider);
  const { packet, to } = await service.group.said(isAnswer);
  deepStrictEqual([to, packet.id, packet.questions?.[0]?.name], [outsider, 77, TYPE]);
  ok(packet.answers?.every((record) => "ttl" in record && record.ttl === 10));
});

Deno.test("who is of no network here is not answered: an answer would go to a victim", async () => {
  await using service = await known();
  for (const hostname of ["198.51.100.1", "0.0.0.0", "nonsense"]) {
    service.group.hear(query("PTR", TYPE), { hostname, port: 40_000 });
  }
  service.group.hear(query("A", "den.local"));
  const { to, packet } = await service.group.said(isAnswer);
  deepStrictEqual([to, kinds(packet.answers)], [undefined, ["A"]]);
});

Deno.test("who knows it, and who asks again at once, gets no answer", async () => {
  await using service = await known();
  const data = `den (OpenClaw).${TYPE}`;
  const answers: Answer[] = [{ type: "PTR", name: TYPE, ttl: 4_000, data }];
  service.group.hear(query("PTR", TYPE, { answers }));
  service.group.hear(query("PTR", TYPE, { answers: [{ ...answers[0]!, ttl: 100 } as Answer] }));
  service.group.hear(query("PTR", TYPE));
  service.group.hear(query("TXT", data), { hostname: "192.0.2.99", port: 40_000 });
  deepStrictEqual(kinds((await service.group.said(isAnswer)).packet.answers), ["PTR"]);
  deepStrictEqual(kinds((await service.group.said(isAnswer)).packet.answers), ["TXT"]);
});

Deno.test("each network is told this machine's address there", async () => {
  const other: Link = { address: "198.51.100.7", netmask: "255.255.255.0" };
  const group = new Ether().join(HERE, other);
  await using _service = advertised(den, group);
  for (const { address } of [HERE, other]) {
    const { packet, link } = await group.said((sent) =>
      isAnswer(sent) && sent.link.address === address
    );
    const a = packet.answers?.find(({ type }) => type === "A");
    deepStrictEqual([link.address, a?.type === "A" && a.data], [address, address]);
  }
});

Deno.test("a name that somebody has is not taken", async () => {
  const ether = new Ether();
  await using first = await known(den, ether.join(HERE));
  await using second = advertised(
    { ...den, port: 19_000 },
    ether.join({ ...HERE, address: "192.0.2.8" }),
  );
  strictEqual(await second.name(), "den (OpenClaw) (2)");
  await using third = advertised(
    { ...den, port: 20_000 },
    ether.join({ ...HERE, address: "192.0.2.9" }),
  );
  strictEqual(await third.name(), "den (OpenClaw) (3)");
  void first;
});

Deno.test("of two that want a name at once, one gets it", async () => {
  const ether = new Ether();
  await using first = advertised(den, ether.join(HERE));
  await using second = advertised(
    { ...den, port: 19_000 },
    ether.join({ ...HERE, address: "192.0.2.8" }),
  );
  deepStrictEqual(await Promise.all([first.name(), second.name()]), [
    "den (OpenClaw) (2)",
    "den (OpenClaw)",
  ]);
});

Deno.test("a name that proves to be somebody's too, later, is asked for again", async () => {
  await using service = await known();
  const name = `den (OpenClaw).${TYPE}`;
  const theirs: Answer = {
    type: "SRV",
    name,
    ttl: 120,
    data: { port: 1, target: "elsewhere.local", priority: 0, weight: 0 },
  };
  service.group.hear({ type: "response", answers: [{ ...theirs, ttl: 0 }] }); // it goes
  service.group.hear({ type: "response", answers: [theirs] });
  const { packet } = await service.group.said(({ packet }) => packet.type === "query");
  strictEqual(packet.questions?.[0]?.name, name);
  strictEqual(await service.name(), "den (OpenClaw)"); // nobody defended it
});

Deno.test("a long name is cut to what DNS takes, between its letters", async () => {
  const ether = new Ether();
  await using _first = await known({ ...den, name: "ü".repeat(60) }, ether.join(HERE));
  await using second = advertised(
    { ...den, name: "ü".repeat(60), port: 1 },
    ether.join({ ...HERE, address: "192.0.2.8" }),
  );
  strictEqual(await second.name(), `${"ü".repeat(29)} (2)`);
});

Deno.test("a packet larger than any of multicast DNS is not even read", async () => {
  await using service = await known();
  const padding: Answer = { type: "TXT", name: "x.local", data: Array(40).fill("x".repeat(250)) };
  service.group.hear(query("PTR", TYPE, { additionals: [padding] }));
  service.group.hear(query("A", "den.local"));
  const { packet } = await service.group.said(isAnswer);
  deepStrictEqual(kinds(packet.answers), ["A"]);
});

Deno.test("nonsense does no harm", async () => {
  await using service = await known();
  for (
    const bytes of [[], [0], Array(12).fill(255), [
      ...Array(5).fill(0),
      1,
      ...Array(6).fill(0),
      0xc0,
      12,
    ]]
  ) {
    service.group.receive(Uint8Array.from(bytes), MEMBER);
  }
  service.group.hear(query("PTR", TYPE));
  deepStrictEqual(kinds((await service.group.said(isAnswer)).packet.answers), ["PTR"]);
});
