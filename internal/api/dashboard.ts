import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { Router } from 'express';

/** Nothing but its own files, and data of this origin; styles that scripts set through the CSSOM are no inline styles. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>heimdall</title>
<h1>The dashboard is not built</h1>
<p>Run <code>npm run build:dashboard</code> in the folder of heimdall (after <code>npm ci</code>), then load this page again.
<p>The API works without it: <code>curl</code> this address, and it tells how to call.
</html>
`;

/**
 * The page for browsers at `/`, and its assets. They hold nothing secret, so they are served without the token; whatever
 * the page shows, it asks the API for. Who does not ask for HTML goes on to what else there is at `/`.
 * @param folder - what `npm run build:dashboard` has made; may be missing.
 */
export function dashboard(folder: string): Router {
  const files = (cacheControl: string, path: string) =>
    express.static(path, {
      redirect: false,
      setHeaders: (response) => response.setHeader('Cache-Control', cacheControl),
    });
  const page = files('no-cache', folder);
  const router = Router();
  router.use('/assets', files('public, max-age=31536000, immutable', join(folder, 'assets'))); // names hold a hash of the content
  router.get('/', (request, response, next) => {
    response.vary('Accept');
    if (request.accepts(['text/plain', 'text/html']) !== 'text/html') return next();
    response.set('Content-Security-Policy', PAGE_POLICY);
    if (existsSync(join(folder, 'index.html'))) page(request, response, next);
    else response.status(503).type('html').send(NOT_BUILT);
  });
  return router;
}
