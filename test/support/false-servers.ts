/** Servers that say they are a Postgres. */
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Says that it is a Postgres, takes whoever comes, and begins a row of two gigabytes. */
export async function openEndless(): Promise<{ port: number; open(): number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const chunk = Buffer.alloc(1_048_576);
    const send = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.once("data", () => {
      const [ready, row] = [Buffer.from("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "latin1"), Buffer.from("D\x7f\xff\xff\xff", "latin1")];
      socket.write(ready);
      socket.once("data", () => {
        socket.write(row);
        socket.on("drain", send);
        send();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    open: () => sockets.size,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Says that it speaks no TLS, and keeps what it hears next. */
export async function openClear(): Promise<{ port: number; heard(): string; close(): Promise<void> }> {
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined).on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("data", () => {
      socket.write("N");
      socket.once("data", () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    heard: () => Buffer.concat(chunks).toString("latin1"),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
