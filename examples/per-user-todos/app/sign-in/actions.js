'use server';

import { redirect } from 'next/navigation';
import { beginSession } from '../../lib/session.js';
import { explain } from '../../lib/trouble.js';
import { databaseOf, isPassword } from '../../lib/users.js';

export async function signIn(_, form) {
  const [user, password] = [String(form.get('user') ?? ''), String(form.get('password') ?? '')];
  try {
    if (!(await isPassword(user, password))) {
      return { title: 'The name or the password is wrong', user };
    }
    await beginSession(user, databaseOf(user));
  } catch (error) {
    return { ...explain(error), user };
  }
  redirect('/');
}
