// The same page on the Edge runtime, which has neither sockets nor files, only `fetch`.
export { default } from '../page.jsx';

export const runtime = 'edge';
