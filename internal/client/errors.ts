import type { InputFault, ProblemView } from '../model/problem-view.ts';

/** The manager refused or failed: what its problem document (RFC 9457) says. */
export class HeimdallApiError extends Error {
  /** Of the HTTP answer. */
  readonly status: number;
  /** `urn:heimdall:error:…`; `about:blank` when the answer was no problem document. */
  readonly type: string;
  readonly title: string;
  /** What was wrong, where, and what to do; also the error's message. */
  readonly detail: string;
  /** Stable, such as `INSTANCE_NOT_FOUND`; empty when the answer was no problem document. */
  readonly code: string;
  /** Every fault of the input, when that is what failed. */
  readonly errors: readonly InputFault[];
  /** Of an instance that did not get ready: the last lines that it wrote. */
  readonly logTail: readonly string[];
  /** All members of the problem document. */
  readonly problem: Readonly<Record<string, unknown>>;
  /** Seconds after which another try may go better; null: nothing was said. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: Partial<ProblemView>, retryAfter: number | null = null) {
    const title = problem.title ?? `status ${status}`;
    super(problem.detail ?? title);
    this.name = 'HeimdallApiError';
    this.status = status;
    this.type = problem.type ?? 'about:blank';
    this.title = title;
    this.detail = this.message;
    this.code = problem.code ?? '';
    this.errors = problem.errors ?? [];
    this.logTail = problem.logTail ?? [];
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Nobody answers, what answers is no manager, or a stream broke off. */
export class HeimdallConnectionError extends Error {
  /** What was asked for. */
  readonly url: string;

  constructor(url: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HeimdallConnectionError';
    this.url = url;
  }
}
