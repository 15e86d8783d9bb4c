// The client's own resolver, for `node --import`: who asks for one of Turso's names, on the port of https, gets the
// server at HRANAD_ADDRESS, such as 127.0.0.1:8080. All else is as ever: the client demands a certificate for the name
// that it has asked for.

import tls from 'node:tls';

const isTurso = (name) => name === 'api.turso.tech' || name?.endsWith('.turso.io');
const { hostname, port } = new URL(`tcp://${process.env.HRANAD_ADDRESS}`);
const { connect } = tls;

tls.connect = function connectByName(...args) {
  const [options, ...rest] = args;
  const isOurs = isTurso(options?.servername) && Number(options.port) === 443;
  return connect.call(tls, isOurs ? { ...options, host: hostname, port } : options, ...rest);
};
