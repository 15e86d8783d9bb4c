import './globals.css';

export const metadata = { title: 'Todos', description: 'Every user has a database of their own' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
