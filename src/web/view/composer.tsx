/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Where one writes. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CommandEntry } from "../../../schemas/chat.ts";
import { objection, readAttachment } from "../attachment.ts";
import type { Attachment } from "../chats.ts";
import { matchingCommands } from "../commands.ts";
import { useApp, useCell, useMedia } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { sizeInWords } from "./message.tsx";
import { ModelChoice, ThinkingChoice } from "./choices.tsx";

/** What a gateway takes that doesn't say what it takes, in bytes. */
const LIMITS = { maxImageBytes: 5_000_000, maxBytes: 16_000_000 };

/** Whether a key is one for an input method. Safari ends the composition before it tells of the key. */
function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") ?? false;
}

export function Composer({ id }: { id: string }) {
  const app = useApp();
  const { runs } = useCell(app.chats.get(id));
  const { commands } = useCell(app.catalog);
  const link = useCell(app.link.state);
  const draft = app.draft(id);
  const { text, files, reading } = useCell(draft);
  const [chosen, setChosen] = useState(0);
  const [isMenuShut, shutMenu] = useState(false);
  const [isOver, setOver] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const hasKeyboard = useMedia("(pointer: fine)");
  const isRunning = runs.size > 0;
  const offered = isMenuShut ? [] : matchingCommands(text, commands);
  const isConnected = link.is === "connected";
  const canSend = (text.trim() !== "" || files.length > 0) && reading === 0;

  useLayoutEffect(() => {
    if (!field.current) return;
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [text]);
  useEffect(() => {
    if (hasKeyboard) field.current?.focus();
  }, [id]);

  function write(next: string): void {
    draft.change((draft) => ({ ...draft, text: next }));
    setChosen(0);
    shutMenu(false);
  }

  function remove(file: Attachment): void {
    draft.change((draft) => ({ ...draft, files: draft.files.filter((other) => other !== file) }));
  }

  function send(): void {
    if (!canSend) return;
    app.chats.send(id, text.trim(), files);
    write("");
    draft.change((draft) => ({ ...draft, files: [] }));
    field.current?.focus();
  }

  function stop(): void {
    void app.attempt("Stopping", () => app.chats.stop(id));
  }

  function complete(command: CommandEntry): void {
    const name = command.textAliases[0] ?? `/${command.name}`;
    write(command.acceptsArgs ? `${name} ` : name);
    shutMenu(true);
    field.current?.focus();
  }

  async function add(list: Iterable<File>): Promise<void> {
    const policy = app.hello.value?.policy.attachments ?? LIMITS;
    const limits = { image: policy.maxImageBytes, total: policy.maxBytes };
    for (const file of list) {
      const why = objection(file, draft.value.files, limits);
      if (why !== undefined) {
        app.say(why, { isError: true });
        continue;
      }
      draft.change((draft) => ({ ...draft, reading: draft.reading + 1 }));
      await app.attempt("Adding the file", async () => {
        const read = await readAttachment(file);
        draft.change((draft) => ({ ...draft, files: [...draft.files, read] }));
      });
      draft.change((draft) => ({ ...draft, reading: draft.reading - 1 }));
    }
    field.current?.focus();
  }

  function press(event: KeyboardEvent): void {
    if (isComposing(event)) return; // Enter belongs to the input method
    if (offered.length > 0) {
      const command = offered[chosen];
      const isWhole = command?.textAliases.includes(text.trim());
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const step = event.key === "ArrowDown" ? 1 : -1;
        setChosen((chosen + step + offered.length) % offered.length);
        return event.preventDefault();
      }
      if (command && (event.key === "Tab" || (event.key === "Enter" && !isWhole))) {
        complete(command);
        return event.preventDefault();
      }
      if (event.key === "Escape") {
        shutMenu(true);
        event.stopPropagation();
        return event.preventDefault();
      }
    }
    // Without a keyboard, Enter is the only way to a new line; the button sends.
    if (event.key === "Enter" && !event.shiftKey && hasKeyboard) {
      event.preventDefault();
      send();
    }
  }

  return (
    <form
      class="composer"
      data-over={isOver}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        if (!hasFiles(event)) return; // a text, which the field takes by itself
        event.preventDefault();
        setOver(false);
        void add(event.dataTransfer?.files ?? []);
      }}
    >
      {offered.length > 0 && (
        <ul class="commands" id="commands" role="listbox" aria-label="Commands">
          {offered.map((command, index) => (
            <li
              key={command.name}
              id={`command-${index}`}
              role="option"
              aria-selected={index === chosen}
              onPointerDown={(event) => {
                event.preventDefault();
                complete(command);
              }}
            >
              <code>{command.textAliases[0]}</code>
              <span>{command.description}</span>
            </li>
          ))}
        </ul>
      )}
      {files.length + reading > 0 && (
        <ul class="files" aria-label="Files to send">
          {files.map((file, index) => (
            <li key={index}>
              {file.src.startsWith("data:image/")
                ? <img src={file.src} alt="" />
                : <Icon name="attach" />}
              <span>{file.name}</span>
              <small>{sizeInWords(file.bytes)}</small>
              <button
                type="button"
                class="quiet"
                aria-label={`Remove ${file.name}`}
                onClick={() => remove(file)}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
          {reading > 0 && (
            <li role="status">
              <Icon name="attach" /> Reading…
            </li>
          )}
        </ul>
      )}
      <textarea
        ref={field}
        id="message"
        rows={1}
        value={text}
        placeholder={isRunning ? "Add something; it joins the queue" : "Message"}
        aria-label="Message"
        aria-autocomplete="list"
        aria-controls={offered.length > 0 ? "commands" : undefined}
        aria-activedescendant={offered.length > 0 ? `command-${chosen}` : undefined}
        enterkeyhint={hasKeyboard ? "send" : "enter"}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={press}
        onPaste={(event) => {
          const { files = [], types = [] } = event.clipboardData ?? {};
          const pasted = [...files];
          // Spreadsheets put a picture beside what is meant; a copied file has but its name.
          const isText = types.includes("text/plain") && types.includes("text/html");
          if (pasted.length === 0 || isText) return;
          event.preventDefault();
          void add(pasted);
        }}
      />
      <div class="tools">
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          accept="image/png,image/jpeg,image/gif,image/webp,text/*,.md,.json,.csv,.log,.yaml,.toml"
          onChange={(event) => {
            void add([...event.currentTarget.files ?? []]);
            event.currentTarget.value = "";
          }}
        />
        <button
          type="button"
          class="quiet"
          aria-label="Attach pictures or text files"
          title="Attach pictures or text files"
          onClick={() => picker.current?.click()}
        >
          <Icon name="attach" />
        </button>
        <ModelChoice id={id} />
        <ThinkingChoice id={id} />
        <span class="space" />
        {isRunning && (
          <button
            type="button"
            class="stop"
            aria-label="Stop the agent"
            title="Stop (Esc)"
            onClick={stop}
          >
            <Icon name="stop" />
          </button>
        )}
        {(canSend || !isRunning) && (
          <button
            type="submit"
            class="send"
            disabled={!canSend}
            aria-label="Send"
            title={isConnected ? "Send (Enter)" : "Send as soon as the gateway is back"}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
    </form>
  );
}
