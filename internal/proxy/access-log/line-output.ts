/** Takes whole lines; one call at a time. */
export interface LineOutput {
  /** Resolves when all of the octets are with the system. @throws when not all of them are. */
  write(octets: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
