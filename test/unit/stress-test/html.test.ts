import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { htmlReport } from '../../../pkg/stress-test/html.ts';
import { stressReport } from '../../support/stress-report.ts';

describe('the report as a page', () => {
  it('draws histogram and timeline, and loads nothing', () => {
    const page = htmlReport(stressReport());
    assert.equal(page.match(/<rect /g)?.length, 17);
    assert.match(page, /<rect [^>]*height="160\.0"><title>600 requests &#60;|<title>600 requests ≤ 1 ms/);
    assert.match(page, /<polyline class="b"[^>]* points="0\.0,26\.7 720\.0,0\.0"/);
    assert.doesNotMatch(page, /<script|<link|src=|https?:\/\/(?!localhost:8080)/);
  });

  it('draws a run of one second, too', () => {
    const page = htmlReport(stressReport({ timeline: stressReport().timeline.slice(0, 1) }));
    assert.match(page, /<polyline class="b"[^>]* points="0\.0,0\.0 720\.0,0\.0"/);
  });

  // The header by which answers are counted apart belongs to the target: a backend sends `X-Server: <script>…` and waits for
  // somebody to open the report.
  it('shows what the target has sent as text', () => {
    const { latency } = stressReport();
    const values = { '<script>alert(1)</script>': { answers: 1, latency } };
    const page = htmlReport(stressReport({ url: 'http://a/"><b>', by: { header: 'x-server', values } }));
    assert.doesNotMatch(page, /<script|"><b>/);
    assert.match(page, /&#60;script&#62;alert\(1\)/);
  });
});
