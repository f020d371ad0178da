/**
 * What the manager says to all who call its API names calls and parameters; at the command line other words do the same.
 * The more special stand first.
 */
const WORDS: readonly (readonly [api: RegExp, words: string])[] = [
  [/\?queue=true\b/g, '--queue'],
  [/\?force=true\b/g, '--force'],
  [/\?wait=false\b/g, '--no-wait'],
  [/\bGET \/live\?once=true\b/g, 'heimdall top --once'],
  [/\bGET \/alerts\?state=active\b/g, 'heimdall alerts list --state active'],
  [/\bGET \/alerts\/silences\b/g, 'heimdall alerts silences'],
  [/\bGET \/alerts\/channels\b/g, 'heimdall alerts channels'],
  [/\bGET \/servers\/list, \/deployments, \/events\b/g, 'heimdall servers list, deployments list, events'],
  [/\bGET \/servers\/list\b/g, 'heimdall servers list'],
  [/\bGET \/deployments\b/g, 'heimdall deployments list'],
  [/(?<=^|; )(?:body|query|path)\.(?=[a-zA-Z])/g, ''], // of an input, its part of the request
];

/** What the manager said, for somebody who has called it by a command. */
export function inCommandWords(detail: string): string {
  return WORDS.reduce((text, [api, words]) => text.replace(api, words), detail);
}
