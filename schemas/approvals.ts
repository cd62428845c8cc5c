/** What waits for a person's answer. This gateway asks nobody, so each of the lists is empty. */
import { closed, method } from "./contract.ts";
import * as Type from "./type.ts";

const Nothing = Type.Array(Type.Never(), { maxItems: 0 });

export const QuestionList = method("question.list", {
  access: "operator.questions",
  since: 4,
  params: closed({}),
  result: Type.Object({ questions: Nothing }),
});

export const PluginApprovalList = method("plugin.approval.list", {
  access: "operator.approvals",
  audited: false,
  since: 4,
  params: closed({}),
  result: Nothing,
});

export const ExecApprovalList = method("exec.approval.list", {
  access: "operator.approvals",
  audited: false,
  since: 4,
  params: closed({}),
  result: Nothing,
});

export const TaskSuggestionsList = method("taskSuggestions.list", {
  access: "operator.read",
  since: 4,
  params: closed({
    sessionKey: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    agentId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  }),
  result: Type.Object({ suggestions: Nothing }),
});
