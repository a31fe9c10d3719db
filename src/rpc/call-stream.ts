// The one place that reaches into grpc-js: an interceptor is shown no HTTP/2 stream, and its status alone leaves the
// client's half of a call open, with all that was sent of it, for as long as the client likes.
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** The stream of a call, as the library's own call holds it. @throws Error when a release of the library has none. */
export function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  const { stream } = call as unknown as { readonly stream?: ServerHttp2Stream };
  if (!stream) throw new Error('This release of grpc-js keeps the stream of a call elsewhere.');
  return stream;
}

/** Tells the client that nothing more is read (RFC 9113 §8.1). What was sent before goes first. */
export function closeStream(stream: ServerHttp2Stream): void {
  if (!stream.closed && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** The same for a client that takes nothing either. */
export function cutStream(stream: ServerHttp2Stream): void {
  if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL);
}
