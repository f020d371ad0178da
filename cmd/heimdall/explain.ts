import { ExplainedRequestSchema } from '../../internal/model/explained-request.ts';
import { type AskArguments, askAdmin } from './ask-admin.ts';
import { explainText } from './explain-text.ts';

/** `heimdall explain ID`: what became of a request, and why. */
export function explain(id: string, options: AskArguments): Promise<void> {
  return askAdmin(`/explain/${encodeURIComponent(id)}`, ExplainedRequestSchema, explainText, options);
}
