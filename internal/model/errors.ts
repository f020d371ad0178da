export type ErrorCode =
  | 'INVALID_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'INSTANCE_NOT_FOUND'
  | 'SERVICE_NOT_FOUND'
  | 'DEPLOYMENT_NOT_FOUND'
  | 'ALERT_NOT_FOUND'
  | 'SILENCE_NOT_FOUND'
  | 'CHANNEL_NOT_FOUND'
  | 'NODE_NOT_FOUND'
  | 'NODE_AWAY'
  | 'NODE_PRESENT'
  | 'NODE_UNREACHABLE'
  | 'NODE_FAILED'
  | 'NODE_LOOP'
  | 'AMBIGUOUS_PORT'
  | 'DEPLOYMENT_RUNNING'
  | 'DEPLOYMENT_FAILED'
  | 'PORT_TAKEN'
  | 'LIFECYCLE_CONFLICT'
  | 'NOT_SPAWNED'
  | 'AGENTS_REFUSED'
  | 'PRECONDITION_FAILED'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'REQUEST_UNDER_WAY'
  | 'OUTCOME_UNKNOWN'
  | 'BODY_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'NO_FREE_PORT'
  | 'COMMAND_FAILED'
  | 'INSTANCE_EXITED'
  | 'INSTANCE_NOT_READY'
  | 'REGISTRY_UNAVAILABLE'
  | 'REGISTRY_BROKEN'
  | 'MANAGER_RUNNING'
  | 'ADDRESS_UNUSABLE'
  | 'RELOAD_FAILED'
  | 'RELOAD_RUNNING'
  | 'CAPACITY_EXCEEDED'
  | 'TOO_MANY_VIEWERS'
  | 'SHUTTING_DOWN';

/** What a person can use to mend the fault: the end of the instance's output, the ports in use, … */
export type ErrorContext = Readonly<Record<string, unknown>>;

/**
 * An error that is meant for people: the message says what was wrong, where, and what to do.
 * The code is stable; the HTTP status is mapped from it once, in the API.
 */
export class HeimdallError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HeimdallError';
    this.code = code;
    this.context = context;
  }
}

export function hasCode(error: unknown, code: ErrorCode): error is HeimdallError {
  return error instanceof HeimdallError && error.code === code;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
