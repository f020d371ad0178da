import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const MAX_PAYLOAD_BYTES = 64 * 1024;
const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const CLOSE = { goingAway: 1001, protocolError: 1002, tooBig: 1009 } as const;

interface Frame {
  /** FIN and opcode as they came, so that fragments go back as fragments. */
  readonly first: number;
  readonly payload: Buffer;
  /** Bytes that the frame took of the buffer. */
  readonly length: number;
}

/** Answers the handshake, greets with the server's name, and sends every frame back until either side closes. */
export function echoWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  name: string,
  stopping: AbortSignal,
): void {
  const key = request.headers['sec-websocket-key'];
  socket.on('error', () => socket.destroy()); // the client has left
  if (key === undefined || request.headers['sec-websocket-version'] !== '13') {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nX-Server: ${name}\r\n\r\n`,
  );
  socket.write(encode(0x80 | OPCODE.text, Buffer.from(name)));

  const leave = () => socket.end(encodeClose(CLOSE.goingAway), () => socket.destroy());
  stopping.addEventListener('abort', leave, { once: true });
  socket.once('close', () => stopping.removeEventListener('abort', leave));
  socket.on('drain', () => socket.resume());
  socket.on('end', () => socket.end());

  let buffered: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    if (socket.writableEnded) return;
    buffered = Buffer.concat([buffered, chunk]);
    for (let frame = decode(buffered); frame !== null && !socket.writableEnded; frame = decode(buffered)) {
      if (typeof frame === 'number') return void socket.end(encodeClose(frame));
      buffered = buffered.subarray(frame.length);
      answer(socket, frame);
    }
  });
  if (head.length > 0) socket.unshift(head);
}

function answer(socket: Duplex, { first, payload }: Frame): void {
  const opcode = first & 0x0f;
  if (opcode === OPCODE.close) socket.end(encode(first, payload));
  else if (opcode === OPCODE.ping) socket.write(encode(0x80 | OPCODE.pong, payload));
  else if (opcode !== OPCODE.pong && !socket.write(encode(first, payload))) socket.pause();
}

/** The first frame of the buffer; null while it is incomplete; a close code when it cannot be accepted (RFC 6455, section 5.2). */
function decode(buffer: Buffer): Frame | number | null {
  if (buffer.length < 2) return null;
  const first = buffer.readUInt8(0);
  const second = buffer.readUInt8(1);
  if ((first & 0x70) !== 0 || (second & 0x80) === 0) return CLOSE.protocolError; // extensions, or an unmasked client
  const short = second & 0x7f;
  const maskAt = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (buffer.length < maskAt + 4) return null;
  const size = short === 127 ? Number(buffer.readBigUInt64BE(2)) : short === 126 ? buffer.readUInt16BE(2) : short;
  if (size > MAX_PAYLOAD_BYTES) return CLOSE.tooBig;
  const start = maskAt + 4;
  if (buffer.length < start + size) return null;
  const payload = Buffer.from(buffer.subarray(start, start + size));
  for (const [index, byte] of payload.entries()) payload[index] = byte ^ buffer.readUInt8(maskAt + (index & 3));
  return { first, payload, length: start + size };
}

function encode(first: number, payload: Buffer): Buffer {
  const long = payload.length > 0xffff;
  const extended = payload.length > 125;
  const head = Buffer.alloc(long ? 10 : extended ? 4 : 2);
  head.writeUInt8(first, 0);
  head.writeUInt8(long ? 127 : extended ? 126 : payload.length, 1);
  if (long) head.writeBigUInt64BE(BigInt(payload.length), 2);
  else if (extended) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

function encodeClose(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return encode(0x80 | OPCODE.close, payload);
}
