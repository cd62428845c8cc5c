import { deepStrictEqual } from "node:assert/strict";
import type { CommandEntry } from "../../schemas/chat.ts";
import { matchingCommands } from "./commands.ts";

const command = (name: string, description: string, aliases: string[] = []): CommandEntry => ({
  name,
  textAliases: [name, ...aliases].map((alias) => `/${alias}`),
  description,
  source: "native",
  scope: "both",
  acceptsArgs: false,
});
const commands = [
  command("help", "List the commands"),
  command("new", "Start afresh"),
  command("think", "Set how hard the model thinks", ["t"]),
  command("model", "Choose the model"),
];
const names = (text: string) => matchingCommands(text, commands).map(({ name }) => name);

Deno.test("a slash offers every command, letters narrow them down", () => {
  deepStrictEqual(names("/"), ["help", "new", "think", "model"]);
  deepStrictEqual(names("/t"), ["think"]);
  deepStrictEqual(names("/MO"), ["model"]);
});

Deno.test("a command is also found by what it does, after those with the name", () => {
  deepStrictEqual(names("/model"), ["model", "think"]);
});

Deno.test("nothing is offered in the middle of a text", () => {
  for (const text of ["", "hello", "/help me", "and /help", "/help\n"]) {
    deepStrictEqual(names(text), [], text);
  }
});
