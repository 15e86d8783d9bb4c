/** A box with what went wrong, and what to do; nothing if nothing did. */
export function Trouble({ title, advice, said }) {
  if (!title) {
    return null;
  }
  return (
    <div role="alert" className="trouble">
      <strong>{title}</strong>
      {advice && <p>{advice.split('`').map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</p>}
      {said && <p className="said">{said}</p>}
    </div>
  );
}
