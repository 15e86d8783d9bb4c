// The tables of the tests of drizzle.

import { blob, integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const authors = sqliteTable('authors', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  name: text('name').notNull().unique(),
  born: integer('born', { mode: 'timestamp' }),
  height: real('height'),
  picture: blob('picture', { mode: 'buffer' }),
  settings: text('settings', { mode: 'json' }),
});

export const books = sqliteTable('books', {
  id: integer('id').primaryKey(),
  title: text('title').notNull(),
  authorId: integer('author_id').notNull().references(() => authors.id),
});
