/** nginx as a plain proxy before a port of this machine, with connections kept alive both ways and no log: what hands everything on costs that much. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";

export interface Nginx {
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

const readyMsMax = 5_000;

const settings = (port: number, upstream: number) => `daemon off;
master_process on;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  keepalive_requests 1000000000;
  upstream behind { server 127.0.0.1:${upstream}; keepalive 256; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;

/** `null` where it is not installed. */
export async function startNginx(upstream: number): Promise<Nginx | null> {
  const asked = spawnSync("nginx", ["-v"], { encoding: "utf8" });
  if (asked.error) return null;
  const version = asked.stderr.trim().replace(/^.*nginx\//, "");
  const home = mkdtempSync(join(tmpdir(), "postern-nginx-"));
  chmodSync(home, 0o755);
  const port = await freePort();
  writeFileSync(join(home, "nginx.conf"), settings(port, upstream));
  const child = spawn("nginx", ["-p", home, "-e", "stderr", "-c", join(home, "nginx.conf")], { stdio: ["ignore", "ignore", "inherit"] });
  const stop = async () => {
    await end(child);
    rmSync(home, { recursive: true, force: true });
  };
  for (const until = Date.now() + readyMsMax; ; ) {
    const answered = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    if (answered) return { port, version, stop };
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error("nginx does not serve");
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}
