/**
 * Syslog over TCP or TLS with octet counting (RFC 6587, 5425). The protocol confirms nothing, so each batch has a connection of its own: we end our side
 * and wait until the receiver has ended its own, which it does when it has read everything. One that ends first, or breaks, means: all again. It is the
 * best that this protocol gives: a receiver that dies with what it has read but not kept is not noticed.
 */
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { CopyFormat } from "./copy.ts";
import { type Sink, SinkUnavailable } from "./sink.ts";

const readWithinMs = 10_000;
/** A receiver that hangs up unasked has done so by then. */
const settleMs = 250;

export interface SyslogSettings {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly format: CopyFormat;
}

export function createSyslogSink({ name, host, port, tls, format }: SyslogSettings): Sink {
  return {
    name,
    async deliver(batch) {
      await send({ host, port, tls }, batch.map((copied) => frame(format.record(copied).trimEnd())).join(""));
      return [];
    },
  };
}

/** The receiver never looks for an end in what somebody else wrote. */
function frame(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}

function send({ host, port, tls }: Pick<SyslogSettings, "host" | "port" | "tls">, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ host, port, servername: host }) : connect({ host, port });
    const fail = (reason: string) => {
      socket.destroy();
      reject(new SinkUnavailable(reason));
    };
    const timer = setTimeout(() => fail("did not read everything in time"), readWithinMs);
    let ending = false;
    socket.once("error", () => fail("the connection failed"));
    socket.once("end", () => {
      if (!ending) fail("the receiver hung up before it had read everything");
    });
    socket.once("close", (broken) => {
      clearTimeout(timer);
      if (broken || !ending) fail("the connection broke");
      else resolve();
    });
    socket.once(tls ? "secureConnect" : "connect", () => {
      socket.resume();
      socket.write(text, () => setTimeout(end, settleMs));
    });
    const end = () => {
      ending = true;
      socket.end();
    };
  });
}
