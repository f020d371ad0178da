import fc from 'fast-check';
import { framed } from './grammar-bodies.ts';
import { eol, field, fields, type Text, usually } from './grammar-fields.ts';

export function request(): Text {
  const method = fc.constantFrom(
    'GET',
    'GET',
    'POST',
    'POST',
    'HEAD',
    'PUT',
    'DELETE',
    'OPTIONS',
    'M-SEARCH',
    'get',
    'HACK',
  );
  const target = usually(
    '/',
    fc.oneof(
      path(),
      fc.constantFrom('/a?b=c&d=%zz', '*', 'http://a/x', '//a', '/"<>\\^`{|}', '/#a', 'a', '/\xe9', '/a b', ''),
    ),
  );
  const version = usually('HTTP/1.1', fc.constantFrom('HTTP/1.0', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', ''));
  const space = usually(' ', fc.constantFrom('  ', '\t', ''));
  const startLine = fc
    .tuple(usually('', fc.constantFrom('\r\n', '\n')), method, space, target, usually(' ', space), version, eol())
    .map((parts) => parts.join(''));
  return fc
    .tuple(startLine, usually('Host: a\r\n', field('Host', fc.constantFrom('a', 'b:80', 'a b', ''))))
    .chain(([line, host]) => framed(`${line}${host}`, true));
}

export function interim(): Text {
  return fc
    .tuple(fc.constantFrom('100 Continue', '103 Early Hints', '102 '), fields())
    .map(([status, lines]) => `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`);
}

export function response(): Text {
  const version = usually('HTTP/1.1', fc.constantFrom('HTTP/1.0', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1', 'ICY'));
  const status = usually('200', fc.constantFrom('204', '304', '404', '500', '999', '099', '20', '2000', '205', ''));
  const reason = usually(' OK', fc.constantFrom('', ' ', ' \xfc\t!', '\tOK', ' O\x00K', '  ', ' a: b'));
  return fc
    .tuple(version, usually(' ', fc.constantFrom('  ', '\t')), status, reason, eol())
    .chain((parts) => framed(parts.join(''), false));
}

/** Of every octet that a path may have. Not `fc.webPath()`: it takes seconds to begin, with a table of all of Unicode. */
function path(): fc.Arbitrary<string> {
  const pieces = [..."aZ09-._~!$&'()*+,;=:@/", '%20', '%2F', '%c3%a9'];
  return fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => `/${parts.join('')}`);
}
