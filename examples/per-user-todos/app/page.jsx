import Link from 'next/link';
import { redirect } from 'next/navigation';
import { openDatabase } from '../lib/database.js';
import { todos } from '../lib/schema.js';
import { readSession } from '../lib/session.js';
import { explain } from '../lib/trouble.js';
import { signOut } from './actions.js';
import { Todos } from './todos.jsx';
import { Trouble } from './trouble.jsx';

// For each visit anew, also as long as settings are missing.
export const dynamic = 'force-dynamic';

/** Who is signed in, and that user's todos; or what is in the way. */
async function load() {
  let session;
  try {
    session = await readSession();
    const database = session && (await openDatabase(session.database));
    return { session, rows: database && (await database.select().from(todos).orderBy(todos.id)) };
  } catch (error) {
    return { session, trouble: explain(error) };
  }
}

export default async function Home() {
  const { session, rows, trouble } = await load();
  if (!session && !trouble) {
    redirect('/sign-in');
  }
  const edge = process.env.NEXT_RUNTIME === 'edge';
  return (
    <main>
      <header>
        <h1>Todos</h1>
        {session && (
          <form action={signOut}>
            <span>{session.user}</span>
            <button className="quiet">Sign out</button>
          </form>
        )}
      </header>
      {trouble ? <Trouble {...trouble} /> : <Todos todos={rows} />}
      <footer>
        {session && (
          <p>
            In the database <code>{session.database}</code>
          </p>
        )}
        <p>
          Made by the {edge ? 'Edge' : 'Node.js'} runtime;{' '}
          <Link href={edge ? '/' : '/edge'} prefetch={false}>
            the same by {edge ? 'Node.js' : 'Edge'}
          </Link>
        </p>
      </footer>
    </main>
  );
}
