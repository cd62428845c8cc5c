/** The machine that the gateway runs on. */
import type { Host } from "../host.ts";

/** What the gateway says of its machine. */
export function describeHost(version: string): Host {
  const ip = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  )?.address;
  return {
    name: Deno.hostname(),
    ...(ip === undefined ? {} : { ip }),
    platform: `${Deno.build.os} ${Deno.osRelease()}`,
    deviceFamily: { linux: "Linux", darwin: "Mac", windows: "Windows" }[Deno.build.os as string] ??
      Deno.build.os,
    arch: Deno.build.arch,
    version,
  };
}

/** Names and addresses under which this machine is reached, from itself and from its networks. */
export function namesOfHost(): readonly string[] {
  const name = Deno.hostname().toLowerCase();
  const names = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(name) ? [name] : [];
  const local = names.filter((name) => !name.includes(".")).map((name) => `${name}.local`);
  const addresses = Deno.networkInterfaces().map(({ address }) => address)
    .filter((address) => !/^(127\.|fe80:)/i.test(address));
  return [...new Set(["localhost", "127.0.0.1", "::1", ...names, ...local, ...addresses])];
}

/**
 * The networks in which others reach what listens on `hostname`, as this machine's address there
 * with its netmask. Without those that carry no multicast: loopback, tunnels, tailnets.
 */
export function networksOf(
  hostname: string,
): readonly { readonly address: string; readonly netmask: string }[] {
  const isEverywhere = hostname === "0.0.0.0" || hostname === "::";
  return Deno.networkInterfaces()
    .filter(({ family, address, netmask }) =>
      family === "IPv4" && netmask !== "255.255.255.255" && !address.startsWith("127.") &&
      (isEverywhere || address === hostname)
    )
    .map(({ address, netmask }) => ({ address, netmask }));
}

/** This machine's address in its tailnet, 100.64.0.0/10; `undefined` where it is in none. */
export function tailnetAddress(): string | undefined {
  return Deno.networkInterfaces().find(({ family, address }) => {
    const [first, second] = address.split(".").map(Number);
    return family === "IPv4" && first === 100 && second !== undefined && second >= 64 &&
      second < 128;
  })?.address;
}
