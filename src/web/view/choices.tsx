/** @jsxRuntime automatic */
/** @jsxImportSource preact */
/** Which model answers in a conversation, and how hard it thinks. */
import { chosenModel } from "../sessions.ts";
import { useApp, useCell } from "./hooks.ts";

export function ModelChoice({ id }: { id: string }) {
  const app = useApp();
  const { models } = useCell(app.catalog);
  const { rows, defaults } = useCell(app.sessions.state);
  const row = rows.find(({ key }) => key === id);
  const chosen = chosenModel(row) ?? "";
  const known = new Map(models.map((model) => [`${model.provider}/${model.id}`, model.name]));
  const standard = known.get(`${defaults?.modelProvider}/${defaults?.model}`) ?? defaults?.model;
  if (models.length === 0 && chosen === "") return null;
  return (
    <label class="choice">
      <span class="unseen">Model of this conversation</span>
      <select
        value={chosen}
        title="Model of this conversation"
        onChange={async ({ currentTarget: select }) => {
          const model = select.value || null;
          const change = () => app.sessions.change(id, { model });
          const isDone = await app.attempt("Choosing the model", change);
          if (!isDone) select.value = chosenModel(app.sessions.row(id)) ?? "";
        }}
      >
        <option value="">{standard ? `${standard} (default)` : "Default model"}</option>
        {chosen !== "" && !known.has(chosen) && <option value={chosen}>{chosen}</option>}
        {[...known].map(([ref, name]) => <option key={ref} value={ref}>{name}</option>)}
      </select>
    </label>
  );
}

export function ThinkingChoice({ id }: { id: string }) {
  const app = useApp();
  const { models } = useCell(app.catalog);
  const { rows, defaults } = useCell(app.sessions.state);
  const row = rows.find(({ key }) => key === id);
  const ref = chosenModel(row) ?? `${defaults?.modelProvider}/${defaults?.model}`;
  const model = models.find(({ provider, id }) => `${provider}/${id}` === ref);
  const levels = model?.thinkingLevels ?? [];
  if (levels.length < 2 || model?.reasoning === false) return null; // nothing to choose
  const standard = row?.thinkingDefault ?? defaults?.thinkingDefault ?? "off";
  return (
    <label class="choice">
      <span class="unseen">How hard the model thinks</span>
      <select
        value={row?.thinkingLevel ?? ""}
        title="How hard the model thinks"
        onChange={async ({ currentTarget: select }) => {
          const thinkingLevel = select.value || null;
          const change = () => app.sessions.change(id, { thinkingLevel });
          const isDone = await app.attempt("Setting how hard the model thinks", change);
          if (!isDone) select.value = app.sessions.row(id)?.thinkingLevel ?? "";
        }}
      >
        <option value="">Thinking: {standard} (default)</option>
        {levels.map(({ id, label }) => <option key={id} value={id}>Thinking: {label}</option>)}
      </select>
    </label>
  );
}
