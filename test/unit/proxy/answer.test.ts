import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerFor } from '../../../internal/proxy/answer.ts';

describe('an answer of our own', () => {
  it('is a line of text, or JSON for whoever asks for it', () => {
    const text = answerFor(502, 'text/html, */*');
    assert.equal(text.type, 'text/plain; charset=utf-8');
    assert.match(text.body, /^502 Bad Gateway\n.+\n$/);
    for (const accept of ['application/json', 'text/html, application/json;q=0.9', 'application/problem+json']) {
      const json = answerFor(502, accept);
      assert.equal(json.type, 'application/problem+json');
      assert.deepEqual(JSON.parse(json.body), {
        title: 'Bad Gateway',
        status: 502,
        detail: 'The server behind this one gave no valid answer.',
      });
    }
    assert.equal(answerFor(502, undefined).type, text.type);
    assert.equal(answerFor(502, 'application/jsonp').type, text.type);
  });

  it('asks to come back when nobody can be picked, or when it is told to', () => {
    assert.equal(answerFor(503, undefined).retryAfter, 1);
    assert.equal(answerFor(429, undefined, { retryAfter: 7 }).retryAfter, 7);
    for (const status of [400, 404, 408, 413, 502, 504]) assert.equal(answerFor(status, undefined).retryAfter, null);
  });

  it('is the page for whoever takes HTML, where there is one', () => {
    const page = '<p>Back soon.';
    const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    assert.deepEqual(answerFor(503, browser, { page }), {
      status: 503,
      title: 'Service Unavailable',
      type: 'text/html; charset=utf-8',
      body: page,
      retryAfter: 1,
      fields: [],
    });
    assert.equal(answerFor(503, 'application/json;q=0, text/html;q=0.1', { page }).body, page);
    for (const accept of [
      undefined,
      '*/*',
      'application/json',
      'text/html;q=0',
      'text/html;level=1;q=0.0, text/plain',
    ]) {
      assert.doesNotMatch(answerFor(503, accept, { page }).body, /</, String(accept));
    }
    assert.equal(answerFor(503, browser, { page: null }).type, 'text/plain; charset=utf-8');
  });

  it('takes a better explanation than the usual one, and has one for every status it is used with', () => {
    assert.match(answerFor(400, undefined, { detail: 'Two hosts.' }).body, /Two hosts\./);
    for (const status of [400, 404, 408, 413, 414, 429, 431, 501, 502, 503, 504, 505]) {
      assert.doesNotMatch(answerFor(status, undefined).body, /Error\n/, String(status));
    }
    assert.match(answerFor(418, undefined).body, /^418 Error/);
  });
});
