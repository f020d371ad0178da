import { loadConfig } from '../../../internal/config/load.ts';
import { ConfigError } from '../../../internal/config/problem.ts';
import { loadOptions } from '../../runtime/arguments.ts';
import { EXIT } from '../exit-codes.ts';
import { paintFor } from '../terminal/paint.ts';
import { doctorText } from './doctor-text.ts';
import { examine } from './examine.ts';
import { thisMachine } from './this-machine.ts';

export interface DoctorArguments {
  readonly config?: string;
  readonly json: boolean;
}

/** `heimdall doctor`: what is wrong with this machine and this configuration, and what to do. Exit code 1 when something is broken. */
export async function doctor({ config, json }: DoctorArguments): Promise<void> {
  const loaded = await loadConfig(loadOptions(config)).catch((error: unknown) => {
    if (error instanceof ConfigError) return error;
    throw error;
  });
  const findings = await examine(loaded, thisMachine(process.env));
  const ok = findings.every(({ level }) => level !== 'broken');
  process.stdout.write(
    json ? `${JSON.stringify({ ok, findings }, null, 2)}\n` : doctorText(findings, paintFor(process.stdout)),
  );
  process.exitCode = ok ? EXIT.done : EXIT.failed;
}
