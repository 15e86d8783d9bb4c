import { SignInForm } from './form.jsx';

export const metadata = { title: 'Sign in · Todos' };

export default function SignIn() {
  return (
    <main>
      <h1>Todos</h1>
      <p className="lead">Every user has a database of their own.</p>
      <SignInForm />
    </main>
  );
}
