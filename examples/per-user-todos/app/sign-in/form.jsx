'use client';

import { useActionState } from 'react';
import { Trouble } from '../trouble.jsx';
import { signIn } from './actions.js';

export function SignInForm() {
  const [trouble, action, pending] = useActionState(signIn, null);
  return (
    <form action={action} className="sign-in">
      <Trouble {...trouble} />
      <label htmlFor="user">Name</label>
      <input id="user" name="user" autoComplete="username" defaultValue={trouble?.user} required autoFocus />
      <label htmlFor="password">Password</label>
      <input id="password" name="password" type="password" autoComplete="current-password" required />
      <button disabled={pending}>Sign in</button>
    </form>
  );
}
