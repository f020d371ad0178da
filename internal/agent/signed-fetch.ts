import { SIGNATURE_FIELD, signatureOf } from '../../pkg/http-guard/signature.ts';

/** `fetch` that signs requests with the token, which itself stays here. @param clock - epoch milliseconds. */
export function signedFetch(token: string, clock: () => number = Date.now): typeof fetch {
  return (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const { method = 'GET', body } = init;
    const headers = new Headers(init.headers);
    const parts = { method, target: `${url.pathname}${url.search}`, body: typeof body === 'string' ? body : '' };
    headers.set(SIGNATURE_FIELD, signatureOf(parts, clock(), token));
    return fetch(url, { ...init, headers });
  };
}
