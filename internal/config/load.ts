import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { AlertRule } from '../../pkg/alerts/rules/schema.ts';
import type { AccessLogSettings } from '../model/access-log.ts';
import { JsonSyntaxError, parseJson } from '../model/json.ts';
import type { z } from 'zod';
import type { RegistrySettings } from '../model/registry-settings.ts';
import { type Service, ServiceSchema } from '../model/service.ts';
import { crossCheck } from './cross-checks.ts';
import { type Overlaid, overlay } from './environment.ts';
import { type Fault, faultsOf } from './issues.ts';
import { ConfigError, type ConfigProblem, formatPath, renderValue, valueAt } from './problem.ts';
import { sampleConfig } from './sample.ts';
import type { Sections } from './sections.ts';
import { type Config, ConfigSchema } from './schema.ts';

const DEFAULT_FILE = 'config.json';

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  ENOTDIR: 'the file does not exist',
  EISDIR: 'is a folder, not a file',
  EACCES: 'may not be read by this user',
};

export interface LoadOptions {
  /** What `--config` names, relative to `cwd`; goes before HEIMDALL_CONFIG, which goes before `./config.json`. */
  readonly path?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Absolute path of the sample backend, which runs when no file is named and there is none; without it that is an error. */
  readonly sampleBackend?: string | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path of the file; null for the built-in sample. */
  readonly path: string | null;
  /** Names of the environment variables that overrode the file. */
  readonly overrides: readonly string[];
}

/** The first stage: what was written, before anything is known about its meaning. */
interface RawConfig {
  readonly value: unknown;
  readonly path: string | null;
}

interface Location {
  /** Absolute. */
  readonly file: string;
  /** Whether a user named it; otherwise it may be absent. */
  readonly named: boolean;
  /** The variable that named it, if one did. */
  readonly variable: 'HEIMDALL_CONFIG' | null;
}

/**
 * Reads the configuration in two stages: raw (file, then environment), then checked and defaulted.
 * @throws {ConfigError} with all problems at once.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const location = locate(options);
  const read = await readFile(location.file, 'utf8').then(
    (text) => () => text,
    (error: unknown) => () => {
      throw error;
    },
  );
  return checked(readRaw(location, options, read), options, location);
}

/** The same at once, for whoever must know before it returns. @throws {ConfigError} as above. */
export function loadConfigSync(options: LoadOptions): LoadedConfig {
  const location = locate(options);
  return checked(
    readRaw(location, options, () => readFileSync(location.file, 'utf8')),
    options,
    location,
  );
}

/**
 * The same for a configuration that no file holds: it counts as one in the folder `cwd`.
 * @throws {ConfigError} as above.
 */
export function checkConfig(value: unknown, options: Pick<LoadOptions, 'env' | 'cwd'>): LoadedConfig {
  return checked({ value, path: null }, options, null);
}

function checked(
  raw: RawConfig,
  { env, cwd }: Pick<LoadOptions, 'env' | 'cwd'>,
  location: Location | null,
): LoadedConfig {
  const overlaid = overlay(raw.value, env);
  const { config, faults } = checkRaw(overlaid.effective);
  const unset = new Set(overlaid.problems.map(({ path }) => path)); // a placeholder left standing is no value to judge
  const judged = faults.filter(({ path }) => !unset.has(formatPath(path)));
  const problems = [...overlaid.problems, ...judged.map((fault) => problemOf(fault, overlaid))];
  if (!config || problems.length > 0) throw new ConfigError(problems, raw.path);
  return {
    config: withAbsolutePaths(config, raw.path === null ? cwd : dirname(raw.path)),
    path: raw.path,
    overrides: [...(location?.variable ? [location.variable] : []), ...overlaid.overrides],
  };
}

function locate({ path, env, cwd }: LoadOptions): Location {
  const fromEnvironment = env.HEIMDALL_CONFIG || undefined; // a variable that is set to nothing names no file
  const variable = path === undefined && fromEnvironment !== undefined ? 'HEIMDALL_CONFIG' : null;
  const name = path ?? fromEnvironment;
  return { file: resolve(cwd, name ?? DEFAULT_FILE), named: name !== undefined, variable };
}

/** @throws {ConfigError} when the file cannot be read or is not JSON; problems of the environment are reported along with it. */
function readRaw(
  { file, named, variable }: Location,
  { env, sampleBackend }: LoadOptions,
  read: () => string,
): RawConfig {
  const place = {
    path: variable ?? '',
    value: JSON.stringify(file),
    source: variable ? 'environment' : 'file',
  } as const;
  const refusal = (problem: ConfigProblem) => new ConfigError([problem, ...overlay({}, env).problems], file);
  try {
    return { value: parseJson(read()), path: file };
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw refusal({ path: '', source: 'file', message: error.message });
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT' && !named && sampleBackend !== undefined) {
      return { value: sampleConfig(sampleBackend), path: null };
    }
    throw refusal({ ...place, message: READ_FAILURES[code] ?? `the file cannot be read (${code})` });
  }
}

/** The second stage. When one section is wrong, the others are still checked against each other. */
function checkRaw(raw: unknown): { readonly config?: Config; readonly faults: readonly Fault[] } {
  const parsed = ConfigSchema.safeParse(raw);
  if (parsed.success) return { config: parsed.data, faults: crossCheck(parsed.data) };
  return { faults: [...faultsOf(parsed.error.issues, ConfigSchema, raw), ...crossCheck(salvage(raw))] };
}

/** The sections and services that are valid by themselves, but for keys that nobody knows. */
function salvage(raw: unknown): Sections {
  const { manager, proxy, node, ports, registry } = ConfigSchema.shape;
  const services = valueAt(raw, ['services']);
  return {
    manager: withoutUnknownKeys(manager, valueAt(raw, ['manager'])),
    proxy: withoutUnknownKeys(proxy, valueAt(raw, ['proxy'])),
    node: withoutUnknownKeys(node, valueAt(raw, ['node'])),
    ports: withoutUnknownKeys(ports, valueAt(raw, ['ports'])),
    registry: withoutUnknownKeys(registry, valueAt(raw, ['registry'])),
    services: Array.isArray(services) ? services.map((service) => withoutUnknownKeys(ServiceSchema, service)) : [],
  };
}

/** Undefined when anything else is wrong with the value. */
function withoutUnknownKeys<T extends z.ZodType>(schema: T, value: unknown): z.output<T> | undefined {
  const { error } = schema.safeParse(value);
  const known: unknown = structuredClone(value);
  for (const issue of error?.issues ?? []) {
    const holder = valueAt(known, issue.path);
    if (issue.code !== 'unrecognized_keys' || typeof holder !== 'object' || holder === null) return undefined;
    for (const key of issue.keys) Reflect.deleteProperty(holder, key);
  }
  return schema.safeParse(known).data;
}

/** Tells where the value at fault came from, and what it is unless it is a secret. */
function problemOf({ path, message, hideValue }: Fault, { written, origins }: Overlaid): ConfigProblem {
  const place = formatPath(path);
  const variable = origins.get(place);
  const value = hideValue ? undefined : renderValue(valueAt(written, path), path);
  return {
    path: place,
    message: variable === undefined ? message : `${message} (the value comes from ${variable})`,
    ...(value === undefined ? {} : { value }),
    source: variable === undefined ? 'file' : 'environment',
  };
}

function withAbsolutePaths(config: Config, folder: string): Config {
  return {
    ...config,
    proxy: { ...config.proxy, accessLog: withAbsoluteOutput(config.proxy.accessLog, folder) },
    registry: withAbsoluteFiles(config.registry, folder),
    alerts: { ...config.alerts, rules: config.alerts.rules.map((rule) => withAbsoluteDisk(rule, folder)) },
    services: config.services.map((service) => withAbsoluteFolders(service, folder)),
  };
}

function withAbsoluteFiles(registry: RegistrySettings, folder: string): RegistrySettings {
  const { path, etcd } = registry;
  const absolute = (file: string | undefined) => file && resolve(folder, file);
  return {
    ...registry,
    path: resolve(folder, path),
    ...(etcd && { etcd: { ...etcd, ca: absolute(etcd.ca), cert: absolute(etcd.cert), key: absolute(etcd.key) } }),
  };
}

function withAbsoluteOutput(accessLog: AccessLogSettings | null, folder: string): AccessLogSettings | null {
  if (accessLog === null || accessLog.output === 'stdout') return accessLog;
  return { ...accessLog, output: resolve(folder, accessLog.output) };
}

function withAbsoluteDisk(rule: AlertRule, folder: string): AlertRule {
  return rule.when === 'disk' && rule.of !== undefined ? { ...rule, of: resolve(folder, rule.of) } : rule;
}

function withAbsoluteFolders(service: Service, folder: string): Service {
  const variants = Object.entries(service.versions).map(([name, variant]) => {
    return [name, variant.cwd === undefined ? variant : { ...variant, cwd: resolve(folder, variant.cwd) }] as const;
  });
  const { page } = service.hold;
  return {
    ...service,
    cwd: resolve(folder, service.cwd),
    versions: Object.fromEntries(variants),
    hold: page === undefined ? service.hold : { ...service.hold, page: resolve(folder, page) },
  };
}
