import { isUtf8 } from 'node:buffer';

/** All that is neither printable ASCII nor a quote or a backslash: it can end no string and no line, nor speak to a terminal. */
const HARMLESS = /^[ !#-[\]-~]*$/;
const HARMFUL = /[^ !#-[\]-~]/g;
const OCTETS_ALONE = /^[\0-\xff]*$/;

/** @param text - of a request: one character per octet. @returns it as the inside of a string in JSON, in ASCII. */
export function inJson(text: string): string {
  return HARMLESS.test(text) ? text : decoded(text).replace(HARMFUL, jsonEscape);
}

/** The same inside quotes of a line of text: `\xHH` for each octet, as nginx has it. Nothing at all is a dash. */
export function inText(text: string): string {
  if (text === '') return '-';
  return HARMLESS.test(text) ? text : octetsOf(text).replace(HARMFUL, octetEscape);
}

/** Octets that are UTF-8 are read as that. */
function decoded(text: string): string {
  if (!OCTETS_ALONE.test(text)) return text;
  const octets = Buffer.from(text, 'latin1');
  return isUtf8(octets) ? octets.toString('utf8') : text;
}

function octetsOf(text: string): string {
  return OCTETS_ALONE.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

function jsonEscape(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function octetEscape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
