/** A mail as it came in. */
export interface ReceivedMail {
  /** Whom it was delivered to (the envelope), not what its header claims. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** When it came in, ISO 8601. */
  readonly date: string;
}

export interface Mail extends ReceivedMail {
  /** Its address on the pages. */
  readonly id: number;
}

/** A text message. */
export interface Sms {
  readonly to: string;
  readonly text: string;
  /** When it came in, ISO 8601. */
  readonly date: string;
}
