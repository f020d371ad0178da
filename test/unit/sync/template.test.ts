import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTemplate, renderTemplate } from '../../../internal/sync/nginx/template.ts';

const VOCABULARY = {
  '': { values: ['title'], sections: ['items'] },
  items: { values: ['title', 'name'], sections: ['last'] },
};
const SCOPE = {
  title: 'T',
  items: [
    { name: 'a', last: false },
    { name: 'b', last: true },
  ],
};

const render = (text: string) => renderTemplate(parseTemplate(text, VOCABULARY), SCOPE);

describe('a template', () => {
  it('repeats a section for each thing, and shows another one when it is true', () => {
    assert.equal(render('{{#items}}{{ name }}{{#last}}!{{/last}} {{/items}}'), 'a b! ');
  });

  it('knows within a section what is known around it', () => {
    assert.equal(render('{{#items}}{{title}}{{#last}}{{name}}{{/last}}{{/items}}'), 'TTb');
  });

  it('leaves no empty lines where the tags of sections stand alone', () => {
    assert.equal(render('x\n  {{#items}}  \n- {{name}}\n\t{{/items}}\ny\n'), 'x\n- a\n- b\ny\n');
    assert.equal(render('{{#items}}\r\n{{name}}\r\n{{/items}}'), 'a\r\nb\r\n');
  });

  it('keeps braces that are no placeholder, as nginx has them', () => {
    assert.equal(render('upstream { {{title}} }'), 'upstream { T }');
  });

  for (const [text, message] of [
    [
      'a\n{{nmae}}',
      /^line 2: \{\{nmae\}\} is not known outside of all sections; there are \{\{title\}\} \{\{#items\}\}$/,
    ],
    ['{{#items}}\n{{#items}}', /^line 2: \{\{#items\}\} is not known within \{\{#items\}\}/],
    ['{{items}}', /^line 1: \{\{items\}\} is not known/],
    ['\n{{#items}}', /^line 2: \{\{#items\}\} has no \{\{\/items\}\}$/],
    ['{{/items}}', /^line 1: \{\{\/items\}\} closes nothing$/],
    [
      '{{#items}}\n{{#last}}{{/items}}',
      /^line 2: \{\{\/items\}\} where \{\{\/last\}\} is expected, for \{\{#last\}\} in line 2$/,
    ],
    ['x\n{{title', /^line 2: \{\{ belongs to no placeholder/],
    ['x\ny }}', /^line 2: \}\} belongs to no placeholder/],
    ['{{}}', /^line 1: \{\{\}\} is not known/],
    ['{{title two}}', /^line 1: \{\{\}\} is not known/],
  ] as const) {
    it(`is refused: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseTemplate(text, VOCABULARY), { name: 'TemplateError', message });
    });
  }
});
