/** What a template can show of one thing: text, whether a section is shown, or the things within it. */
export type Scope = { readonly [name: string]: string | boolean | readonly Scope[] };

type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'value'; readonly name: string }
  | { readonly type: 'section'; readonly name: string; readonly nodes: readonly Node[] };

type Template = readonly Node[];

/** Names by where they are known: `''` outside of all sections. A section that is not listed knows what is around it. */
export interface Vocabulary {
  readonly [section: string]: { readonly values: readonly string[]; readonly sections: readonly string[] };
}

/** A mistake in a template; the message names the line. */
export class TemplateError extends Error {
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = 'TemplateError';
  }
}

interface Tag {
  readonly sign: string;
  readonly name: string;
  readonly line: number;
}

interface Open {
  readonly tag: Tag;
  readonly nodes: Node[];
  readonly words: Vocabulary[string];
}

/** A section's tag that is alone on its line takes the line with it. */
const ALONE = /^[ \t]*\{\{[#/][^{}\n]*\}\}[ \t]*(?:\r?\n|$)/gm;
const TAG = /\{\{([^{}]*)\}\}/g;

/**
 * `{{name}}` is replaced by a value; `{{#name}}…{{/name}}` is repeated for each thing of a list, or shown when it is true.
 * @throws {TemplateError}
 */
export function parseTemplate(text: string, vocabulary: Vocabulary): Template {
  const lineAt = lineCounter(text);
  const root: Open = {
    tag: { sign: '#', name: '', line: 1 },
    nodes: [],
    words: vocabulary[''] ?? { values: [], sections: [] },
  };
  const open = [root];
  let end = 0;
  for (const { index, length, tag } of tagsOf(text, lineAt)) {
    const inner = open.at(-1) ?? root;
    pushText(inner, text.slice(end, index), lineAt(end));
    end = index + length;
    if (tag.sign === '/') {
      if (open.length === 1 || inner.tag.name !== tag.name) throw new TemplateError(tag.line, closing(tag, inner));
      open.pop();
      continue;
    }
    const known = tag.sign === '#' ? inner.words.sections : inner.words.values;
    if (!known.includes(tag.name)) throw new TemplateError(tag.line, unknown(tag, inner));
    if (tag.sign === '') {
      inner.nodes.push({ type: 'value', name: tag.name });
      continue;
    }
    const section: Open = { tag, nodes: [], words: vocabulary[tag.name] ?? inner.words };
    inner.nodes.push({ type: 'section', name: tag.name, nodes: section.nodes });
    open.push(section);
  }
  const last = open.at(-1) ?? root;
  if (open.length > 1) throw new TemplateError(last.tag.line, `{{#${last.tag.name}}} has no {{/${last.tag.name}}}`);
  pushText(root, text.slice(end), lineAt(end));
  return root.nodes;
}

/** @param scope - has all that the vocabulary of the template names. */
export function renderTemplate(template: Template, scope: Scope): string {
  return template
    .map((node) => {
      if (node.type === 'text') return node.text;
      const found = scope[node.name];
      if (node.type === 'value') return typeof found === 'string' ? found : '';
      if (!Array.isArray(found)) return found === '' || found === false ? '' : renderTemplate(node.nodes, scope);
      return found.map((inner: Scope) => renderTemplate(node.nodes, { ...scope, ...inner })).join('');
    })
    .join('');
}

function* tagsOf(text: string, lineAt: (index: number) => number) {
  const alone = new Map<number, { readonly index: number; readonly length: number }>();
  for (const { 0: line, index } of text.matchAll(ALONE)) {
    alone.set(index + line.indexOf('{{'), { index, length: line.length });
  }
  for (const match of text.matchAll(TAG)) {
    const [whole, inner = ''] = match;
    const [, sign = '', name = ''] = /^\s*([#/]?)\s*(\S*)\s*$/.exec(inner) ?? [];
    const place = alone.get(match.index) ?? { index: match.index, length: whole.length };
    yield { ...place, tag: { sign, name, line: lineAt(match.index) } };
  }
}

function pushText({ nodes }: Open, text: string, line: number): void {
  const stray = text.search(/\{\{|\}\}/);
  if (stray !== -1) {
    const before = text.slice(0, stray).split('\n').length - 1;
    throw new TemplateError(
      line + before,
      `${text.slice(stray, stray + 2)} belongs to no placeholder such as {{address}}`,
    );
  }
  if (text !== '') nodes.push({ type: 'text', text });
}

function lineCounter(text: string): (index: number) => number {
  return (index) => text.slice(0, index).split('\n').length;
}

function closing({ name }: Tag, { tag }: Open): string {
  return tag.name === ''
    ? `{{/${name}}} closes nothing`
    : `{{/${name}}} where {{/${tag.name}}} is expected, for {{#${tag.name}}} in line ${tag.line}`;
}

function unknown({ sign, name }: Tag, { words, tag }: Open): string {
  const all = [...words.values.map((value) => `{{${value}}}`), ...words.sections.map((section) => `{{#${section}}}`)];
  const where = tag.name === '' ? 'outside of all sections' : `within {{#${tag.name}}}`;
  return `{{${sign}${name}}} is not known ${where}; there are ${all.join(' ')}`;
}
