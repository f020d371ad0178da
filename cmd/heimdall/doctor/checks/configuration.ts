import type { LoadedConfig } from '../../../../internal/config/load.ts';
import type { ConfigError } from '../../../../internal/config/problem.ts';
import { warningsOf } from '../../../../internal/config/refused-ports.ts';
import { type Finding, well } from '../finding.ts';

export function configured({ config, path }: LoadedConfig): Finding[] {
  const warnings = warningsOf(config).map(({ path: key, message }): Finding => {
    return { level: 'warning', about: 'configuration', message: `${key}: ${message}`, advice: `set ${key} to another` };
  });
  return [well('configuration', path ?? 'the built-in sample: there is no ./config.json'), ...warnings];
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
