import { match, ok, strictEqual } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { selfSigned } from "./self_signed.ts";

Deno.test("a certificate that signs itself serves TLS under each of its names", async () => {
  const names = ["localhost", "den.local", "127.0.0.1", "::1", "fd00::2"];
  const { cert, key } = await selfSigned(names, { from: Date.now(), days: 3650 });
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  for (const hostname of ["localhost", "127.0.0.1"]) {
    using client = await Deno.connectTls({ hostname, port: listener.addr.port, caCerts: [cert] });
    const [server] = await Promise.all([
      listener.accept().then(async (server) => {
        await server.handshake();
        return server;
      }),
      client.handshake(),
    ]);
    server.close();
  }

  const certificate = new X509Certificate(cert);
  strictEqual(certificate.ca, false);
  for (const name of names.slice(0, 2)) strictEqual(certificate.checkHost(name), name);
  for (const address of names.slice(2)) strictEqual(certificate.checkIP(address), address);
  match(key, /^-----BEGIN PRIVATE KEY-----\n(.{1,64}\n)+-----END PRIVATE KEY-----\n$/);
});

Deno.test("it is valid for as long as was asked, and for clocks that are slow", async () => {
  const from = Date.UTC(2026, 0, 2);
  const { cert } = await selfSigned(["localhost"], { from, days: 10 });
  const { validFrom, validTo } = new X509Certificate(cert);
  strictEqual(Date.parse(validFrom), Date.UTC(2026, 0, 1));
  strictEqual(Date.parse(validTo), Date.UTC(2026, 0, 12));
});

Deno.test("no two certificates have the same key", async () => {
  const [first, second] = await Promise.all(
    [1, 2].map(() => selfSigned(["localhost"], { from: Date.now(), days: 1 })),
  );
  ok(first!.key !== second!.key && first!.cert !== second!.cert);
});
