import type { Response } from 'express';

/** Holds an answer back when it is complete, so that something can be done before the client has it. */
export class HeldAnswer {
  readonly #response: Response;
  readonly #send: Response['send'];
  #body: unknown = undefined;
  #isHeld = false;

  constructor(response: Response) {
    this.#response = response;
    this.#send = response.send.bind(response);
    response.send = (body?: unknown) => {
      this.#body = body;
      this.#isHeld = true;
      return response;
    };
  }

  /** Null when there is none, or it is no text. */
  get text(): string | null {
    return typeof this.#body === 'string' ? this.#body : null;
  }

  /** Lets it go; what is sent from now on is not held any more. */
  release(): void {
    this.#response.send = this.#send;
    if (this.#isHeld) this.#send(this.#body);
  }
}
