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

/** This machine's address in its tailnet, 100.64.0.0/10; `undefined` where it is in none. */
export function tailnetAddress(): string | undefined {
  return Deno.networkInterfaces().find(({ family, address }) => {
    const [first, second] = address.split(".").map(Number);
    return family === "IPv4" && first === 100 && second !== undefined && second >= 64 &&
      second < 128;
  })?.address;
}
