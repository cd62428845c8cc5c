/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Boxes that come to the front. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { OpenQuestion } from "../app.ts";
import { useApp, useCell } from "./hooks.ts";
import { Icon } from "./icon.tsx";

/** A box in front of the page; Escape and its button close it, and focus goes back. */
export function Dialog(
  { title, onClose, children }: {
    title: string;
    onClose: () => void;
    children: ComponentChildren;
  },
) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) onClose(); // beside the box
      }}
    >
      <div class="box">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** The question that waits for an answer, if one does. */
export function QuestionDialog() {
  const app = useApp();
  const question = useCell(app.question);
  return question === undefined ? null : <Ask key={question.title} question={question} />;
}

function Ask({ question }: { question: OpenQuestion }) {
  const { title, text, action, isGrave, field, answer } = question;
  const [value, setValue] = useState(field?.value ?? "");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []); // which also focuses it
  return (
    <Dialog title={title} onClose={() => answer(undefined)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer(value.trim());
        }}
      >
        {text && <p>{text}</p>}
        {field && (
          <label class="field">
            <span>{field.label}</span>
            <input
              ref={input}
              value={value}
              maxLength={field.maxLength}
              onInput={(event) => setValue(event.currentTarget.value)}
            />
          </label>
        )}
        <div class="actions">
          <button type="button" onClick={() => answer(undefined)}>Cancel</button>
          <button
            type="submit"
            class={isGrave ? "grave" : "primary"}
            disabled={field !== undefined && value.trim() === ""}
          >
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What has been said to the person and not yet been put away. */
export function Notices() {
  const app = useApp();
  const notices = useCell(app.notices);
  return (
    <div class="notices" role="alert">
      {notices.map((notice) => (
        <Toast
          key={notice.id}
          {...notice}
          onClose={() => app.dismiss(notice.id)}
        />
      ))}
    </div>
  );
}

function Toast(
  { text, isError, onClose }: { text: string; isError: boolean; onClose: () => void },
) {
  useEffect(() => {
    if (isError) return; // stays until it is read
    const timer = setTimeout(onClose, 5_000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="notice" data-error={isError}>
      {isError && <Icon name="warning" />}
      <p>{text}</p>
      <button type="button" class="quiet" aria-label="Dismiss" onClick={onClose}>
        <Icon name="close" />
      </button>
    </div>
  );
}
