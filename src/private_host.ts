/** Names and addresses that no stranger's network routes. */

/** Whether a host, as a URL spells it, is this machine itself. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host) ||
    host.startsWith("[::ffff:7f"); // how a URL spells ::ffff:127.0.0.1
}

/** Whether a host, as a URL spells it, is of a home's or a company's own network. */
export function isPrivateHost(host: string): boolean {
  return PRIVATE.test(host);
}

const PRIVATE =
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)[\d.]+$|^\[(f[cd]|fe[89ab])|\.(local|ts\.net)$/;
