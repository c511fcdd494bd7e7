/**
 * The one cookie: a session's secret, or, while somebody is away to log in, what has to come back with them. `__Host-`: of this host alone, over TLS, for all
 * of it (RFC 6265bis §4.1.3.2). Lax: a link from elsewhere may open a page; a form from elsewhere brings nothing (serve.ts).
 */
const name = "__Host-postern";
const session = new RegExp(`(?:^|; *)${name}=s\\.([A-Za-z0-9_-]{43})(?:;|$)`);
const login = new RegExp(`(?:^|; *)${name}=l\\.([A-Za-z0-9_-]{40,2000})(?:;|$)`);

/** 256 bits in base64url. `null` = none, or not of that grammar. */
export function readSessionCookie(cookies: string | null): string | null {
  return session.exec(cookies ?? "")?.[1] ?? null;
}

/** What `loginCookie` was given. */
export function readLoginCookie(cookies: string | null): string | null {
  return login.exec(cookies ?? "")?.[1] ?? null;
}

export function sessionCookie(secret: string, seconds: number): string {
  return cookie(`s.${secret}`, seconds);
}

/** `sealed`: base64url. */
export function loginCookie(sealed: string, seconds: number): string {
  return cookie(`l.${sealed}`, seconds);
}

export const noCookie = cookie("", 0);

function cookie(value: string, seconds: number): string {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`;
}
