import { SIGNATURE_FIELD, signatureOf } from '../../pkg/http-guard/signature.ts';

/**
 * `fetch` that signs requests with the token, which itself stays here.
 * @param token - as it is now; undefined: nothing is signed. @param clock - epoch milliseconds.
 */
export function signedFetch(token: () => string | undefined, clock: () => number = Date.now): typeof fetch {
  return (input, init = {}) => {
    const key = token();
    if (key === undefined) return fetch(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    const { method = 'GET', body } = init;
    const headers = new Headers(init.headers);
    const parts = { method, target: `${url.pathname}${url.search}`, body: typeof body === 'string' ? body : '' };
    headers.set(SIGNATURE_FIELD, signatureOf(parts, clock(), key));
    return fetch(url, { ...init, headers });
  };
}
