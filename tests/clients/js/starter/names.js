// The client's own resolver, for `node --import`: who asks for one of Turso's names, on the port of https, gets the
// server at HRANAD_ADDRESS. All else is the client's: it demands a certificate for the name that it asked for.
// Whoever asks for another name is stopped, so that no test leaves this machine.

import tls from 'node:tls';

const isTurso = (name) => name === 'api.turso.tech' || name?.endsWith('.turso.io');
const { hostname, port } = new URL(`https://${process.env.HRANAD_ADDRESS}`);
const { connect } = tls;

tls.connect = function connectByName(...args) {
  const [options, ...rest] = args;
  if (!isTurso(options.servername) || Number(options.port) !== 443) {
    throw new Error(`${options.servername ?? options.host}:${options.port} is none of Turso's names`);
  }
  return connect.call(tls, { ...options, host: hostname, port }, ...rest);
};
