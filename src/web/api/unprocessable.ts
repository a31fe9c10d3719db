/** A refusal of the JSON API only: pages show such a thing beside its field. */
export interface UnprocessableDetails {
  /** Problems by field of the body, each a sentence for a person. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Seconds until trying again makes sense; becomes `Retry-After`. */
  readonly retryAfter?: number | undefined;
}

/**
 * The request has the shape that it should have, and what it says is not taken: a wrong code, a password that the policy
 * refuses (RFC 9110 §15.5.21). Becomes 422; the frame turns an `invalid_input` of a domain into one as well, so that 400
 * is left for requests that break the schema. `message` is for the person or program that asked.
 */
export class Unprocessable extends Error {
  readonly details: UnprocessableDetails;

  constructor(message: string, details: UnprocessableDetails = {}) {
    super(message);
    this.name = 'Unprocessable';
    this.details = details;
  }
}
