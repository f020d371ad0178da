import type { LoadedConfig } from '../../../../internal/config/load.ts';
import type { ConfigError } from '../../../../internal/config/problem.ts';
import { type Finding, well } from '../finding.ts';

export function configured({ path }: LoadedConfig): Finding[] {
  return [well('configuration', path ?? 'the built-in sample: there is no ./config.json')];
}

export function misconfigured({ problems, file }: ConfigError): Finding[] {
  return problems.map(({ path, message, value }): Finding => {
    const place = path === '' ? (file ?? 'the configuration') : path;
    const shown = value === undefined ? '' : ` (value: ${value})`;
    return {
      level: 'broken',
      about: 'configuration',
      message: `${place}: ${message}${shown}`,
      advice: `correct it in ${file ?? 'the environment'}`,
    };
  });
}
