/**
 * An error that the outside may hear of: a stable code for logs and tests, the HTTP status,
 * and a private cause that only the log sees. What a person reads is looked up by `code`
 * among the texts (`errors.<code>.*`), so no message can leak a secret onto a page.
 */
export class VestibuleError extends Error {
  readonly code: string;
  readonly status: number;
  /** Seconds after which trying again makes sense (`Retry-After`, RFC 9110 §10.2.3). */
  readonly retryAfter: number | undefined;

  constructor(code: string, status: number, options: { cause?: unknown; retryAfter?: number; message?: string } = {}) {
    super(options.message ?? code, { cause: options.cause });
    this.name = 'VestibuleError';
    this.code = code;
    this.status = status;
    this.retryAfter = options.retryAfter;
  }

  /** The same under the name that the protocol library looks for. */
  get statusCode(): number {
    return this.status;
  }
}

/** The server can't answer now and grants nothing: 503 with `Retry-After`. */
export const unavailable = (code: string, retryAfter: number, cause?: unknown): VestibuleError =>
  new VestibuleError(code, 503, { retryAfter, cause });

/** What an operator got wrong, said in full. Commands print the message without a stack and exit 1. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}
