'use client';

import { useActionState, useState } from 'react';
import { changeTodos } from './actions.js';
import { Trouble } from './trouble.jsx';

/** The list and its forms. They work before, and without, JavaScript in the browser. */
export function Todos({ todos }) {
  const [trouble, change, pending] = useActionState(changeTodos, null);
  const [text, setText] = useState('');
  const [seen, setSeen] = useState(trouble);
  if (trouble !== seen) {
    // What could not be added is there again, unless something else was typed meanwhile.
    setSeen(trouble);
    setText(text || trouble?.description || '');
  }
  const left = todos.filter((todo) => !todo.completed).length;
  return (
    <>
      {/* Emptied at once: the next todo may be typed while this one is on its way. */}
      <form action={change} onSubmit={() => setText('')} className="add">
        <label htmlFor="description" className="hidden">
          What is to be done?
        </label>
        <input
          id="description"
          name="description"
          placeholder="What is to be done?"
          value={text}
          onChange={(event) => setText(event.target.value)}
          maxLength={500}
          required
        />
        <button name="change" value="add" disabled={pending}>
          Add
        </button>
      </form>
      <Trouble {...trouble} />
      <ul aria-label="Todos">
        {todos.map(({ id, description, completed }) => (
          <li key={id}>
            <form action={change}>
              <input type="hidden" name="id" value={id} />
              <button
                name="change"
                value="tick"
                role="checkbox"
                aria-checked={completed}
                aria-labelledby={`todo-${id}`}
              />
              <span id={`todo-${id}`}>{description}</span>
              <button name="change" value="delete" aria-label={`Delete ${description}`} className="delete">
                ×
              </button>
            </form>
          </li>
        ))}
      </ul>
      <p role="status">{todos.length === 0 ? 'Nothing to do yet.' : `${left} of ${todos.length} left`}</p>
    </>
  );
}
