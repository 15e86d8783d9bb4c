'use server';

import { eq, not } from 'drizzle-orm';
import { refresh } from 'next/cache';
import { redirect } from 'next/navigation';
import { openDatabase } from '../lib/database.js';
import { todos } from '../lib/schema.js';
import { endSession, readSession } from '../lib/session.js';
import { explain } from '../lib/trouble.js';

const CHANGES = {
  add: (database, form) => {
    const description = String(form.get('description') ?? '').trim().slice(0, 500);
    return description && database.insert(todos).values({ description });
  },
  tick: (database, form) =>
    database.update(todos).set({ completed: not(todos.completed) }).where(eq(todos.id, idOf(form))),
  delete: (database, form) => database.delete(todos).where(eq(todos.id, idOf(form))),
};

const idOf = (form) => Number(form.get('id'));

/** Does what the pressed button of a form says; what was in the way, or null. */
export async function changeTodos(_, form) {
  let session;
  try {
    session = await readSession();
    if (session && Object.hasOwn(CHANGES, form.get('change'))) {
      await CHANGES[form.get('change')](await openDatabase(session.database), form);
    }
  } catch (error) {
    return { ...explain(error), description: form.get('description') };
  }
  if (!session) {
    redirect('/sign-in');
  }
  refresh();
  return null;
}

export async function signOut() {
  await endSession();
  redirect('/sign-in');
}
