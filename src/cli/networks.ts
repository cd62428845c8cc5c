/** The networks, for the one command that sets an account up. Loads none of them by itself. */
export { NETWORKS } from "../channels/registry.ts";
