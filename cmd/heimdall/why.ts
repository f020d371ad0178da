import { ServiceOutlookSchema } from '../../internal/model/service-outlook.ts';
import { type AskArguments, askAdmin } from './ask-admin.ts';
import { whyText } from './why-text.ts';

/** `heimdall why SERVICE`: who gets its requests now, and why. */
export function why(service: string, options: AskArguments): Promise<void> {
  return askAdmin(`/why/${encodeURIComponent(service)}`, ServiceOutlookSchema, whyText, options);
}
