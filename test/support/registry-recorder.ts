import type { RegistryListener, Snapshot } from '../../internal/registry/registry.ts';

const LIMIT_MS = 10_000;

type Told =
  | { readonly snapshot: Snapshot; readonly error?: never }
  | { readonly error: Error; readonly snapshot?: never };

/** A listener that remembers what it was told, and lets a test wait for it. */
export class RegistryRecorder implements RegistryListener {
  readonly told: Told[] = [];
  readonly #waiting = new Set<() => void>();

  changed(snapshot: Snapshot): void {
    this.#add({ snapshot });
  }

  failed(error: Error): void {
    this.#add({ error });
  }

  get failures(): Error[] {
    return this.told.flatMap(({ error }) => error ?? []);
  }

  get pictures(): Snapshot[] {
    return this.told.flatMap(({ snapshot }) => snapshot ?? []);
  }

  /** The newest picture, as soon as it is as wanted. */
  picture(wanted: (snapshot: Snapshot) => boolean = () => true): Promise<Snapshot> {
    return this.#until(() => {
      const newest = this.told.at(-1)?.snapshot;
      return newest && wanted(newest) ? newest : undefined;
    });
  }

  /** The newest failure, as soon as no picture has followed it. */
  failure(): Promise<Error> {
    return this.#until(() => this.told.at(-1)?.error);
  }

  #add(told: Told): void {
    this.told.push(told);
    for (const check of this.#waiting) check();
  }

  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(
          new Error(`waited in vain; told so far: ${this.told.length}, of these failures: ${this.failures.length}`),
        );
      }, LIMIT_MS);
      const check = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      check();
    });
  }
}
