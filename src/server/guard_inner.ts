/** `Deno.serve` behind the guard, where only this process can reach it. */

export interface InnerServer {
  connect(): Promise<Deno.Conn>;
  /** Lets answers under way finish; resolves when all connections are gone. Never rejects. */
  shutdown(): Promise<void>;
  /** Removes what it left on the disk. */
  remove(): Promise<void>;
}

/** Serves on a Unix socket in a folder of our own; on Windows, which has none, on loopback. */
export function serveInside(handler: Deno.ServeHandler): InnerServer {
  return Deno.build.os === "windows" ? serveOnLoopback(handler) : serveOnSocket(handler);
}

/** Other users of the machine can connect as well, but lack a connection's token. */
export function serveOnLoopback(handler: Deno.ServeHandler): InnerServer {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  const { hostname, port } = server.addr;
  return {
    connect: async () => {
      const conn = await Deno.connect({ hostname, port });
      conn.setNoDelay(true);
      return conn;
    },
    shutdown: () => server.shutdown().catch(() => {}), // it is on its way out in any case
    remove: () => Promise.resolve(),
  };
}

function serveOnSocket(handler: Deno.ServeHandler): InnerServer {
  const folder = Deno.makeTempDirSync({ prefix: "openclaw-" }); // 0700
  const path = `${folder}/http`;
  const server = Deno.serve({ path, onListen() {} }, handler);
  return {
    connect: () => Deno.connect({ transport: "unix", path }),
    shutdown: () => server.shutdown().catch(() => {}),
    remove: () => Deno.remove(folder, { recursive: true }).catch(() => {}),
  };
}
