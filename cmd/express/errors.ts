/** The body of a request cannot be relayed, because the app has read it. A mistake in the app, hence the 500. */
export class BodyAlreadyReadError extends Error {
  readonly code = 'BODY_ALREADY_READ';
  readonly status = 500;

  constructor() {
    super(
      'The body of this request was read before it reached balance(), so it cannot be relayed any more. ' +
        'Mount balance() before body parsers such as express.json().',
    );
    this.name = 'BodyAlreadyReadError';
  }
}

/** The balancer was closed while its server went on. */
export class BalancerClosedError extends Error {
  readonly code = 'BALANCER_CLOSED';
  readonly status = 503;

  constructor() {
    super('This balance() was closed. Close the server first, then what it is made of.');
    this.name = 'BalancerClosedError';
  }
}
