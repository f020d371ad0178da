import {
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCInvalidArgumentError,
  GRPCResourceExhastedError,
} from 'etcd3';
import { HeimdallError, messageOf } from '../../model/errors.ts';

/** What the store said, without the class names that the client library puts before it. */
const CLASS_NAME = /^(?:\w*Error: )?(?:\d+ [A-Z_]+: )?/;

/** What gRPC adds. */
const NOTE = /\.? *Resolution note:.*$/s;

/** Whether the cause of a `HeimdallError` is known to have changed nothing. */
export function isRefusal(error: unknown): boolean {
  return isFinal(error instanceof HeimdallError ? (error.cause ?? error) : error);
}

/** For commits of which can be seen afterwards whether they were carried out. @throws whatever will not be otherwise next time. */
export function unlessRefused(error: unknown): { readonly done: false; readonly revision: 0 } {
  if (isRefusal(error)) throw error;
  return { done: false, revision: 0 };
}

/** Another member would say the same, and so will this one later. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof HeimdallError ||
    error instanceof EtcdAuthenticationFailedError ||
    error instanceof EtcdPermissionDeniedError ||
    error instanceof EtcdLeaseInvalidError ||
    error instanceof GRPCInvalidArgumentError ||
    error instanceof GRPCResourceExhastedError
  );
}

/** What an error of the client library means for people. @param store - its members and the prefix. */
export function faultOf(error: unknown, store: string): HeimdallError {
  if (error instanceof HeimdallError) return error;
  const message = `The registry ${store} cannot be used: ${reasonOf(error)}`;
  return new HeimdallError('REGISTRY_UNAVAILABLE', message, { store }, { cause: error });
}

export function closed(store: string): HeimdallError {
  return new HeimdallError('REGISTRY_UNAVAILABLE', `The registry ${store} was closed.`, { store });
}

/** @param name - of a key, with the prefix. */
export function brokenKey(name: string, reason: string): HeimdallError {
  const message = `The registry is damaged: the key ${name} of etcd is not valid (${reason}). Correct or delete it.`;
  return new HeimdallError('REGISTRY_BROKEN', message, { key: name });
}

/** In words that end with a full stop. */
export function reasonOf(error: unknown): string {
  const said = messageOf(error).replace(CLASS_NAME, '').replace(NOTE, '');
  if (error instanceof EtcdAuthenticationFailedError) {
    return 'it refuses the user name or the password. Correct registry.etcd.username and registry.etcd.password.';
  }
  if (error instanceof EtcdPermissionDeniedError) {
    return 'the user may not read and write there. Grant it a role with readwrite on the prefix: etcdctl role grant-permission.';
  }
  if (error instanceof EtcdInvalidAuthTokenError) return 'it wants a user. Set registry.etcd.username and password.';
  if (said.includes('database space exceeded')) {
    return 'its space is used up. Compact it, defragment it and disarm the alarm: etcdctl compact, defrag, alarm disarm.';
  }
  if (said.includes('user name is empty'))
    return 'it wants a user. Set registry.etcd.username and registry.etcd.password.';
  return `${said}.`;
}
