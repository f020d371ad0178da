import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Why tests with a program are skipped; false where it is installed. */
export function missing(program: 'nginx' | 'haproxy'): string | false {
  const { status } = spawnSync(program, ['-v']);
  return status === 0 ? false : `${program} is not installed: apt-get install ${program}`;
}

/** An nginx in a folder, on a free port of an address, that includes `upstreams.conf` and `extra.conf` from there. */
export class NginxFolder {
  readonly dir: string;
  readonly url: string;

  private constructor(dir: string, listen: string) {
    this.dir = dir;
    this.url = `http://${listen}`;
  }

  static async create(parent: string, port: number, address = '127.0.0.1'): Promise<NginxFolder> {
    const listen = `${address}:${port}`;
    const nginx = new NginxFolder(join(parent, 'nginx'), listen);
    const { dir } = nginx;
    await mkdir(dir);
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${dir}/${name};`,
    );
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    const text = `
${user} worker_processes 2; daemon off; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
events { worker_connections 256; }
http {
  access_log off; ${folders.join(' ')}
  include ${dir}/upstreams.conf;
  include ${dir}/extra.conf;
  server {
    listen ${listen};
    location / {
      proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_connect_timeout 500ms; proxy_read_timeout 3s;
    }
  }
}`;
    await writeFile(join(dir, 'nginx.conf'), text);
    await writeFile(join(dir, 'extra.conf'), '');
    return nginx;
  }

  get command(): readonly ['nginx', ...string[]] {
    return ['nginx', '-p', this.dir, '-c', this.#conf, '-e', `${this.dir}/error.log`];
  }

  get upstreams(): string {
    return join(this.dir, 'upstreams.conf');
  }

  /** Whether nginx has taken over what is in the file. */
  get isSettled(): boolean {
    return !existsSync(join(this.dir, '.upstreams.conf.heimdall-before'));
  }

  /** Each reload leaves a line there. */
  get reloads(): string {
    return join(this.dir, 'reloads');
  }

  /** What `heimdall sync nginx` is told. */
  get syncOptions(): readonly string[] {
    const line = this.command.join(' ');
    return [
      ...['--out', this.upstreams, '--pid-file', join(this.dir, 'nginx.pid')],
      ...['--test', `${line} -t`, '--reload', `echo >> ${this.reloads}; ${line} -s reload`],
    ];
  }

  get #conf(): string {
    return join(this.dir, 'nginx.conf');
  }
}

/** An HAProxy in a folder, on a free port of an address; its backend is named differently from the service. */
export class HaproxyFolder {
  readonly url: string;
  readonly #dir: string;

  private constructor(dir: string, listen: string) {
    this.#dir = dir;
    this.url = `http://${listen}`;
  }

  /** @param slots - in its configuration. */
  static async create(parent: string, port: number, slots: number, address = '127.0.0.1'): Promise<HaproxyFolder> {
    const listen = `${address}:${port}`;
    const haproxy = new HaproxyFolder(join(parent, 'haproxy'), listen);
    await mkdir(haproxy.#dir);
    const text = `
global
  stats socket ${haproxy.socket} mode 600 level admin
defaults
  mode http
  timeout connect 500ms
  timeout client 30s
  timeout server 3s
  option redispatch 1
frontend all
  bind ${listen}
  default_backend be_web
backend be_web
  balance roundrobin
  cookie SERVER insert dynamic
  dynamic-cookie-key key
  server-template web 1-${slots} 127.0.0.1:1 disabled
`;
    await writeFile(haproxy.#conf, text);
    return haproxy;
  }

  get command(): readonly ['haproxy', ...string[]] {
    return ['haproxy', '-f', this.#conf];
  }

  get socket(): string {
    return join(this.#dir, 'admin.sock');
  }

  get #conf(): string {
    return join(this.#dir, 'haproxy.cfg');
  }
}
