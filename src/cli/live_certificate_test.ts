import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { certificateFingerprint } from "../certificate.ts";
import type { Log, LogFields } from "../log.ts";
import { certificateFiles, readCertificates } from "./certificate_files.ts";
import { Failure } from "./failure.ts";
import { withHome } from "./fake_io.ts";
import { LiveCertificate, type Pair } from "./live_certificate.ts";
import { selfSigned } from "./self_signed.ts";

const NAMES = ["localhost", "127.0.0.1"];

const make = () => selfSigned(["localhost"], { from: Date.now(), days: 1 });

/** A log that tells when a message comes. */
class Lines implements Log {
  readonly messages: string[] = [];
  #waiting: (() => void)[] = [];
  error = (message: string, _fields?: LogFields) => this.#add(message);
  warn = this.error;
  info = this.error;
  debug = this.error;
  part = () => this;

  /** Resolves with the first message that has the words, whether it came already or will. */
  async has(words: string): Promise<void> {
    while (!this.messages.some((message) => message.includes(words))) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #add(message: string): void {
    this.messages.push(message);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function open(stateDir: string, tls: object = {}, log = new Lines()): Promise<LiveCertificate> {
  return LiveCertificate.open({
    config: { gateway: { tls } },
    names: NAMES,
    stateDir,
    env: { HOME: stateDir },
    log,
  });
}

async function write(folder: string, { cert, key }: Pair): Promise<void> {
  await Deno.writeTextFile(`${folder}/a.pem`, cert);
  await Deno.writeTextFile(`${folder}/a.key`, key);
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("without files of the owner, a certificate is made, kept and closed to others", () =>
  withHome(async ({ stateDir }) => {
    await using first = await open(stateDir);
    deepStrictEqual(namesIn(`${stateDir}/tls`), ["cert.pem", "key.pem"]);
    if (Deno.build.os !== "windows") {
      const modes = ["", "/cert.pem", "/key.pem"].map((name) =>
        Deno.statSync(`${stateDir}/tls${name}`).mode! & 0o777
      );
      deepStrictEqual(modes, [0o700, 0o600, 0o600]);
    }
    await using second = await open(stateDir);
    deepStrictEqual(second.pair, first.pair);
    strictEqual(first.fingerprint, certificateFingerprint(first.pair.cert));
  }));

Deno.test("files of the owner are used, in the home too, with those that vouch for them", () =>
  withHome(async ({ stateDir }) => {
    const pair = await make();
    await write(stateDir, pair);
    await using bare = await open("/nowhere", {
      certPath: `${stateDir}/a.pem`,
      keyPath: `${stateDir}/a.key`,
    });
    deepStrictEqual(bare.pair, pair);

    const { cert } = await make();
    await Deno.writeTextFile(`${stateDir}/ca.pem`, cert);
    await using chained = await open(stateDir, {
      certPath: "~/a.pem",
      keyPath: "~/a.key",
      caPath: "~/ca.pem",
    });
    strictEqual(chained.pair.cert, `${pair.cert}\n${cert}`);
    strictEqual(chained.fingerprint, bare.fingerprint);
  }));

Deno.test("what TLS can't be spoken with is said at once, and nothing is changed", () =>
  withHome(async ({ stateDir }) => {
    const [pair, other] = await Promise.all([make(), make()]);
    await write(stateDir, pair);
    await Deno.writeTextFile(`${stateDir}/other.key`, other.key);
    await Deno.writeTextFile(`${stateDir}/junk`, "junk");
    const before = namesIn(stateDir);
    const path = (name: string) => `${stateDir}/${name}`;
    const cases: readonly (readonly [tls: object, message: RegExp])[] = [
      [{ certPath: path("a.pem") }, /gateway.tls.keyPath is not set/],
      [{ keyPath: path("a.key") }, /gateway.tls.certPath is not set/],
      [{ certPath: path("a.pem"), keyPath: path("none") }, /none.*No such file/],
      [{ certPath: path("a.pem"), keyPath: path("other.key") }, /not the one of the first/],
      [{ certPath: path("junk"), keyPath: path("a.key") }, /no certificate in PEM/],
      [{ certPath: path("a.pem"), keyPath: path("junk") }, /no key in PEM/],
      [{ autoGenerate: false }, /No such file/],
    ];
    for (const [tls, message] of cases) {
      await rejects(
        open(stateDir, tls),
        (error) => error instanceof Failure && message.test(error.message),
      );
    }
    deepStrictEqual(namesIn(stateDir), before);
  }));

Deno.test("a certificate whose key is gone is not replaced: clients know it", () =>
  withHome(async ({ stateDir }) => {
    await (await open(stateDir))[Symbol.asyncDispose]();
    await Deno.remove(`${stateDir}/tls/key.pem`);
    await rejects(open(stateDir), /key\.pem.*No such file/);
    deepStrictEqual(namesIn(`${stateDir}/tls`), ["cert.pem"]);
  }));

Deno.test("a renewal is handed on when its files fit, and an unfit one is reported", () =>
  withHome(async ({ stateDir }) => {
    const [first, second, third] = await Promise.all([make(), make(), make()]);
    await write(stateDir, first);
    const log = new Lines();
    const files = { certPath: `${stateDir}/a.pem`, keyPath: `${stateDir}/a.key` };
    await using live = await open(stateDir, files, log);
    const renewed: Pair[] = [];
    live.watch((pair) => {
      renewed.push(pair);
      return Promise.resolve();
    });
    await Deno.writeTextFile(files.certPath, "half of i");
    await log.has("can't be used");
    deepStrictEqual([renewed, live.pair], [[], first]);

    await write(stateDir, second);
    await log.has("Certificate renewed");
    deepStrictEqual([renewed, live.pair], [[second], second]);

    // As by those who keep every certificate and link to the last one.
    const folder = await Deno.makeTempDir({ dir: stateDir });
    await write(folder, third);
    log.messages.length = 0;
    for (const name of ["a.pem", "a.key"]) {
      await Deno.symlink(`${folder}/${name}`, `${stateDir}/${name}.new`);
      await Deno.rename(`${stateDir}/${name}.new`, `${stateDir}/${name}`);
    }
    await log.has("Certificate renewed");
    deepStrictEqual(live.pair, third);
  }));

Deno.test("a certificate that the port can't show is not taken for the one that it shows", () =>
  withHome(async ({ stateDir }) => {
    const [first, second] = await Promise.all([make(), make()]);
    await write(stateDir, first);
    const log = new Lines();
    const files = { certPath: `${stateDir}/a.pem`, keyPath: `${stateDir}/a.key` };
    await using live = await open(stateDir, files, log);
    live.watch(() => Promise.reject(new Error("the port is gone")));
    await write(stateDir, second);
    await log.has("can't be used");
    deepStrictEqual(live.pair, first);
  }));

Deno.test("a certificate that clients will refuse is warned of", () =>
  withHome(async ({ stateDir }) => {
    const old = await selfSigned(["localhost"], { from: Date.UTC(2020), days: 1 });
    await write(stateDir, old);
    const log = new Lines();
    await using _live = await open(
      stateDir,
      { certPath: `${stateDir}/a.pem`, keyPath: `${stateDir}/a.key` },
      log,
    );
    ok(log.messages.some((message) => message.includes("has expired")));
  }));

Deno.test("commands find the same files as the gateway", () =>
  withHome(async ({ stateDir, env }) => {
    await using live = await open(stateDir);
    strictEqual(await readCertificates(certificateFiles({}, { stateDir, env })), live.pair.cert);
  }));
