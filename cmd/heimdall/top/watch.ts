import { emitKeypressEvents } from 'node:readline';
import type { Client } from '../../../internal/client/client.ts';
import type { Paint } from '../terminal/paint.ts';
import { LivePicture } from './live-picture.ts';
import { Screen } from './screen.ts';
import { topText } from './top-text.ts';
import { type Key, pressed, type TopView } from './view.ts';

/** That a picture is old is seen even when nothing comes. */
const REDRAW_MS = 1_000;

/** Pictures on a terminal, and what a person wants to see of them. */
export class Watch {
  readonly #picture: LivePicture;
  readonly #paint: Paint;
  readonly #ended = new AbortController();
  #screen: Screen | null = null;
  #view: TopView;
  #room = { page: 1, last: 0 };
  #end: 'quit' | 'interrupt' = 'quit';

  constructor(client: Pick<Client, 'live'>, paint: Paint, view: TopView) {
    this.#picture = new LivePicture(client, () => this.#draw());
    this.#paint = paint;
    this.#view = view;
  }

  /** Until `q`, Ctrl-C or a signal. @throws as `LivePicture.run`; the terminal is as it was. */
  async run(): Promise<'quit' | 'interrupt'> {
    const stopListening = this.#listen();
    const redraw = setInterval(() => this.#drawIfStale(), REDRAW_MS);
    try {
      await this.#picture.run(this.#ended.signal);
    } finally {
      clearInterval(redraw);
      stopListening();
      this.#screen?.[Symbol.dispose]();
    }
    return this.#end;
  }

  #draw(): void {
    const { state, stale } = this.#picture;
    if (state === null || this.#ended.signal.aborted) return;
    this.#screen ??= new Screen(process.stdout, process.stdin); // not before there is something to show
    const { columns, rows } = this.#screen;
    const { lines, page, last } = topText(state, this.#view, { columns, rows, stale, paint: this.#paint });
    this.#room = { page, last };
    this.#screen.draw(lines);
  }

  #drawIfStale(): void {
    if (this.#picture.stale !== null) this.#draw();
  }

  #press(key: Key): void {
    const next = pressed(this.#view, key, this.#room.page, this.#room.last);
    if (next === 'suspend') this.#suspend();
    else if (typeof next === 'string') this.#finish(next);
    else this.#view = next;
    this.#draw();
  }

  #finish(end: 'quit' | 'interrupt'): void {
    this.#end = end;
    this.#ended.abort();
  }

  /** The terminal is the shell's until `fg`. */
  #suspend(): void {
    this.#screen?.leave();
    process.once('SIGCONT', () => {
      this.#screen?.enter();
      this.#draw();
    });
    process.kill(0, 'SIGTSTP'); // the whole job, as a terminal does it
  }

  /** Keys, another size of the window, and signals. @returns what ends it. */
  #listen(): () => void {
    const { stdin, stdout } = process;
    const onKey = (_text: unknown, key: Key) => this.#press(key);
    const onResize = () => this.#draw();
    const onSignal = () => this.#finish('interrupt');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, onSignal);
    stdout.on('resize', onResize);
    if (stdin.isTTY) {
      emitKeypressEvents(stdin);
      stdin.on('keypress', onKey).resume();
    }
    return () => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, onSignal);
      stdout.off('resize', onResize);
      stdin.off('keypress', onKey).pause();
    };
  }
}
