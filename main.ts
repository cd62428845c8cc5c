import { run } from "./src/cli/cli.ts";
import { processIo } from "./src/cli/io.ts";

if (import.meta.main) Deno.exit(await run(Deno.args, processIo()));
