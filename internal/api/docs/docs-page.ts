import { createHash } from 'node:crypto';
import { DOCS_STYLE } from './docs-style.ts';
import type { OpenApiDocument } from '../openapi/document.ts';
import { type Html, html, join, prose, raw } from './html.ts';
import type { Content, Operation, Parameter } from '../openapi/operation.ts';
import { fieldsTable, typeOf } from './schema-words.ts';

/** Nothing may be loaded or run; the one style is known by its hash. */
const POLICY = `default-src 'none'; style-src 'sha256-${hashOf(DOCS_STYLE)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

interface Place {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The API for people, made of its OpenAPI document: one page without scripts, that loads nothing. */
export function docsPage(document: OpenApiDocument): { readonly html: string; readonly policy: string } {
  const { info, tags, components } = document;
  const places = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Place => ({ method: method.toUpperCase(), path, operation })),
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}</title>
<style>${raw(DOCS_STYLE)}</style>
</head>
<body>
<header>
<h1>${info.title}</h1>
<p class="version">Version ${info.version}; for machines: <a href="/openapi.json">openapi.json</a></p>
${join(info.description.split('\n\n').map((paragraph) => html`<p>${prose(paragraph)}</p>`))}
${tokenHint(document)}
</header>
<nav aria-label="Contents">
${join(tags.map(({ name }) => contentsOf(name, underTag(places, name))))}
<h2><a href="#schemas">schemas</a></h2>
</nav>
<main>
${join(tags.map(({ name, description }) => tagSection(name, description, places)))}
<section id="schemas">
<h2>schemas</h2>
<p>What answers are made of.</p>
${join(Object.entries(components.schemas).map(([name, schema]) => html`<article id="schema-${name}"><h3>${name}</h3>${fieldsTable(schema)}</article>`))}
</section>
</main>
</body>
</html>
`;
  return { html: page.text, policy: POLICY };
}

function tokenHint({ security }: OpenApiDocument): Html {
  if (security.length === 0) return html``;
  return html`<p>This manager asks for a token with every call. The commands take it from a variable: <code>export HEIMDALL_TOKEN=…</code></p>`;
}

function contentsOf(name: string, places: readonly Place[]): Html {
  const links = places.map(
    ({ method, path, operation }) =>
      html`<li><a href="#${operation.operationId}"><b class="${method}">${method}</b> ${path}</a></li>`,
  );
  return html`<h2><a href="#${name}">${name}</a></h2><ul>${join(links)}</ul>`;
}

function underTag(places: readonly Place[], name: string): readonly Place[] {
  return places.filter(({ operation }) => operation.tags.some((tag) => tag === name));
}

function tagSection(name: string, description: string, places: readonly Place[]): Html {
  return html`<section id="${name}"><h2>${name}</h2><p>${prose(description)}</p>${join(underTag(places, name).map(operationArticle))}</section>`;
}

function operationArticle({ method, path, operation }: Place): Html {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const body = requestBody?.content['application/json'];
  return html`<article id="${operationId}">
<h3><a href="#${operationId}"><b class="${method}">${method}</b> <code>${path}</code></a></h3>
<p><strong>${summary}.</strong> ${description === undefined ? '' : prose(description)}</p>
${join(operation['x-codeSamples'].map(({ label, source }) => html`<pre aria-label="${label}" tabindex="0">${label === summary ? '' : html`<i># ${label}</i>\n`}${source}</pre>`))}
${parametersTable(parameters)}
${body === undefined ? '' : html`<h4>Body${requestBody?.required ? '' : ', optional'}</h4>${fieldsTable(body.schema)}`}
<h4>Answers</h4>
<dl>${join(Object.entries(responses).map(([status, { description: what, content }]) => answer(status, what, content)))}</dl>
</article>`;
}

function parametersTable(parameters: readonly Parameter[]): Html {
  if (parameters.length === 0) return html``;
  const rows = parameters.map(({ name, in: where, required, description, schema }) => {
    const shown = { path: `{${name}}`, query: `?${name}=`, header: `${name}:` }[where];
    return html`<tr><th scope="row"><code>${shown}</code>${required ? '' : html` <small>optional</small>`}</th><td>${typeOf(schema)}</td><td>${prose(description)}</td></tr>`;
  });
  return html`<h4>Parameters</h4><table><tbody>${join(rows)}</tbody></table>`;
}

function answer(status: string, what: string, content: Readonly<Record<string, Content>> = {}): Html {
  const isProblem = 'application/problem+json' in content;
  const shown = isProblem ? [] : Object.entries(content).map(([type, each]) => contentOf(type, each));
  return html`<dt class="${isProblem ? 'problem' : 'fine'}">${status}</dt><dd>${prose(what)}${join(shown)}</dd>`;
}

function contentOf(type: string, { schema, example, 'x-events': events }: Content): Html {
  const kind = html`<p class="type"><code>${type}</code> ${events === undefined ? typeOf(schema) : ''}</p>`;
  if (events !== undefined) {
    const rows = Object.entries(events).map(
      ([name, { description, schema: data }]) =>
        html`<tr><th scope="row"><code>${name}</code></th><td>${typeOf(data)}</td><td>${prose(description)}</td></tr>`,
    );
    return html`${kind}<table><tbody>${join(rows)}</tbody></table>`;
  }
  if (example === undefined) return kind;
  return html`${kind}<details><summary>Example</summary><pre tabindex="0">${JSON.stringify(example, null, 2)}</pre></details>`;
}

function hashOf(style: string): string {
  return createHash('sha256').update(style).digest('base64');
}
