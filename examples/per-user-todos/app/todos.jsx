'use client';

import { useActionState } from 'react';
import { changeTodos } from './actions';
import { Trouble } from './trouble';

/** The list and its forms. They work before, and without, JavaScript in the browser. */
export function Todos({ todos }) {
  const [trouble, change, pending] = useActionState(changeTodos, null);
  const left = todos.filter((todo) => !todo.completed).length;
  return (
    <>
      <form action={change} className="add">
        <label htmlFor="description" className="hidden">
          What is to be done?
        </label>
        <input id="description" name="description" placeholder="What is to be done?" maxLength={500} required />
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
