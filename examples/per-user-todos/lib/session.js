// Who is signed in: a cookie that this application has signed. Web Crypto is there on Node.js and on Edge.
import { cookies, headers } from 'next/headers';
import { settings } from './settings.js';

const COOKIE = 'session';
const SECONDS = 24 * 60 * 60;

/** The user and the name of the user's database, or null. */
export async function readSession() {
  const { TODOS_SECRET } = settings();
  const cookie = (await cookies()).get(COOKIE)?.value ?? '';
  const [text, signature] = cookie.split('.');
  if (!signature || !(await isSigned(text, signature, TODOS_SECRET))) {
    return null;
  }
  const { user, database, expires } = Object.fromEntries(new URLSearchParams(text));
  return Number(expires) > Date.now() ? { user, database } : null;
}

export async function beginSession(user, database) {
  const expires = Date.now() + SECONDS * 1000;
  const text = new URLSearchParams({ user, database, expires }).toString().replaceAll('.', '%2E');
  const signature = await sign(text, settings().TODOS_SECRET);
  (await cookies()).set(COOKIE, `${text}.${signature}`, {
    httpOnly: true,
    sameSite: 'lax',
    secure: (await headers()).get('x-forwarded-proto') === 'https',
    maxAge: SECONDS,
  });
}

export async function endSession() {
  (await cookies()).delete(COOKIE);
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' };
const bytes = (text) => new TextEncoder().encode(text);
const key = (secret) => crypto.subtle.importKey('raw', bytes(secret), HMAC, false, ['sign', 'verify']);

/** The signature of a text, in hexadecimal. */
export async function sign(text, secret) {
  const signature = new Uint8Array(await crypto.subtle.sign(HMAC, await key(secret), bytes(text)));
  return Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function isSigned(text, signature, secret) {
  const pairs = signature.match(/../g) ?? [];
  const given = Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
  return crypto.subtle.verify(HMAC, await key(secret), given, bytes(text));
}
